#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "deploy/ports/journal.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace slipway::deploy {

// The append-only journal file, mode 0600. Reading changes nothing on disk; a torn tail is cut
// when the next record is appended.
//
// It does not grow without end: whoever first appends to one of more than `most_records` leaves the
// last `kept_records` and what the others came to, so that no command ever reads many more. The
// file as it was before is beside it, NAME.old, of one generation.
class JournalFile : public Journal {
 public:
  static constexpr std::size_t most_records = 2000;
  static constexpr std::size_t kept_records = 500;

  // Errors: corrupt (damaged in the middle), io. A file that does not exist is an empty journal.
  static Result<JournalFile> open(const std::filesystem::path& path);

  const std::vector<Record>& records() const override { return records_; }
  bool had_torn_tail() const { return torn_; }

  // Returns when the record is on the disk.
  Result<void> append(std::string transaction, std::string time, Entry entry) override;

  // Renames a damaged journal away, to NAME.damaged-N, so that a new one can be begun.
  static Result<void> set_aside(const std::filesystem::path& path);

 private:
  explicit JournalFile(std::filesystem::path path) : path_(std::move(path)) {}
  Result<void> open_for_append();
  void compact_if_long();
  Result<void> reserve();

  std::filesystem::path path_;
  std::vector<Record> records_;
  std::size_t valid_bytes_ = 0;
  bool torn_ = false;
  UniqueFd fd_;
};

}  // namespace slipway::deploy
