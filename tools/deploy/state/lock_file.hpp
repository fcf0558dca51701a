#pragma once

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "deploy/ports/lock.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace slipway::deploy {

// One operation at a time on a host: flock on a file. The kernel frees it when the holder ends,
// however it ends; O_CLOEXEC keeps it from being inherited by what the holder starts.
class LockFile : public Lock {
 public:
  // Errors: busy (the message names the holder), io.
  static Result<std::unique_ptr<Lock>> acquire(const std::filesystem::path& file,
                                               const LockOwner& owner);
  // Takes over a lock that a parent acquired, by its descriptor.
  static std::unique_ptr<Lock> adopt(int fd);

  // The holder while somebody holds the lock, else nothing.
  static std::optional<LockOwner> holder(const std::filesystem::path& file);
  // Kills the holder and waits until the lock is free. Says who it was; nothing where nobody holds
  // it or nobody is known. Errors: busy (the process is not one of ours).
  static Result<std::optional<LockOwner>> end_holder(const std::filesystem::path& file);

  void note_step(const std::string& step) override;
  void note_owner(const LockOwner& owner) override;
  std::string handle() const override { return std::to_string(fd_.get()); }
  void keep_across_exec() const override;

 private:
  explicit LockFile(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  LockOwner owner_;
};

}  // namespace slipway::deploy
