#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace slipway::deploy {

// Who holds the lock, as the holder wrote it down. For people; only the kernel decides.
struct LockOwner {
  pid_t pid = 0;
  std::string operation;  // "deploy registry/repo@sha256:..."
  std::string actor;      // who, from where
  std::string since;      // RFC 3339 UTC
  std::string step;

  // "deploy of ... by root from 192.0.2.1 (process 4711), since 12:00:00Z (12 s ago), at prove"
  std::string describe() const;
};

// One operation at a time on a host: flock on a file. The kernel frees it when the holder ends,
// however it ends; O_CLOEXEC keeps it from being inherited by what the holder starts.
class Lock {
 public:
  // Errors: busy (the message names the holder), io.
  static Result<Lock> acquire(const std::filesystem::path& file, const LockOwner& owner);
  // Takes over a lock that a parent acquired, by its descriptor.
  static Lock adopt(int fd);

  static std::optional<LockOwner> read_owner(const std::filesystem::path& file);
  // The holder while somebody holds the lock, else nothing.
  static std::optional<LockOwner> holder(const std::filesystem::path& file);

  void note_step(const std::string& step);
  // Rewrites the owner, after a change of process.
  void note_owner(const LockOwner& owner);
  int fd() const { return fd_.get(); }

 private:
  explicit Lock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  LockOwner owner_;
};

}  // namespace slipway::deploy
