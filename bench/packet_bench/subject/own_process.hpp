#pragma once

#include "base/error.hpp"
#include "base/process.hpp"
#include "packet_bench/subject/own_container.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slipway::bench {

// A folder under the system's temporary one, removed with its owner.
class OwnFolder {
 public:
  // Errors: io.
  static Result<OwnFolder> create();
  const std::filesystem::path& path() const { return *path_; }

 private:
  struct Remove {
    void operator()(const std::filesystem::path* path) const;
  };
  explicit OwnFolder(std::filesystem::path path)
      : path_(new std::filesystem::path(std::move(path))) {}
  std::unique_ptr<const std::filesystem::path, Remove> path_;
};

// A process, or a container and the docker command that stays with it, that was started to be
// measured. What it says goes to a file; it ends with its owner, and so do its container and
// folder.
class OwnProcess {
 public:
  // `container`: the one that `argv` starts, if it does. Errors: Child::start's.
  static Result<OwnProcess> start(const std::vector<std::string>& argv,
                                  const Environment& environment, OwnFolder folder,
                                  std::optional<OwnContainer> container);

  pid_t pid() const { return child_.pid(); }
  const std::optional<OwnContainer>& container() const { return container_; }
  // What it said so far. Errors: read_file's.
  Result<std::string> output() const;
  // The last lines of that, at most so many, on one line; or that there was nothing.
  std::string last_words(std::size_t lines = 1) const;
  // Set once it has ended by itself: how, and its last words.
  std::optional<std::string> death(std::string_view name, std::size_t lines = 1);

 private:
  OwnProcess(OwnFolder folder, std::optional<OwnContainer> container, Child child);
  std::filesystem::path output_file() const { return folder_.path() / "output"; }

  // The child goes first, then its container, then the folder.
  OwnFolder folder_;
  std::optional<OwnContainer> container_;
  Child child_;
};

}  // namespace slipway::bench
