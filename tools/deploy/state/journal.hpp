#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "deploy/model/record.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace slipway::deploy {

// The append-only journal file, mode 0600. Reading changes nothing on disk; a torn tail is cut
// when the next record is appended.
class Journal {
 public:
  // Errors: corrupt (damaged in the middle), io. A file that does not exist is an empty journal.
  static Result<Journal> open(const std::filesystem::path& path);

  const std::vector<Record>& records() const { return records_; }
  bool had_torn_tail() const { return torn_; }

  // Returns when the record is on the disk. `record.sequence` and `record.time` are set here.
  Result<void> append(std::string type, std::string transaction, std::string time,
                      nlohmann::json data = nlohmann::json::object());

  // Renames a damaged journal away, to NAME.damaged-N, so that a new one can be begun.
  static Result<std::filesystem::path> set_aside(const std::filesystem::path& path);

 private:
  explicit Journal(std::filesystem::path path) : path_(std::move(path)) {}
  Result<void> open_for_append();
  Result<void> reserve();

  std::filesystem::path path_;
  std::vector<Record> records_;
  std::size_t valid_bytes_ = 0;
  bool torn_ = false;
  UniqueFd fd_;
};

}  // namespace slipway::deploy
