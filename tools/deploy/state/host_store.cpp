#include "deploy/state/host_store.hpp"

#include "deploy/state/file_snapshot.hpp"
#include "deploy/state/journal_file.hpp"
#include "deploy/state/lock_file.hpp"
#include "deploy/state/secrets.hpp"

#include <cerrno>
#include <cstdlib>
#include <sys/stat.h>

#include <fmt/core.h>

namespace slipway::deploy {

Result<void> HostStore::prepare() {
  const std::filesystem::path& directory = config_.state_directory;
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return Error{ErrorKind::io,
                 fmt::format("cannot make {}: {}", directory.string(), failed.message()),
                 "run as root, or correct stateDir"};
  }
  // HAProxy's user must reach its folders below; everything of ours in here is 0600 or 0700.
  if (::chmod(directory.c_str(), 0711) != 0) {
    return io_error("cannot set the mode of", directory.string(), errno);
  }
  return {};
}

Result<std::unique_ptr<Lock>> HostStore::acquire_lock(const LockOwner& owner) {
  return LockFile::acquire(lock_file(), owner);
}

std::unique_ptr<Lock> HostStore::adopt_lock(const std::string& handle) {
  return LockFile::adopt(std::atoi(handle.c_str()));
}

std::optional<LockOwner> HostStore::lock_holder() {
  return LockFile::holder(lock_file());
}

Result<std::optional<LockOwner>> HostStore::end_lock_holder() {
  return LockFile::end_holder(lock_file());
}

Result<std::unique_ptr<Journal>> HostStore::open_journal() {
  auto opened = JournalFile::open(journal_file());
  if (!opened) return opened.error();
  return std::unique_ptr<Journal>(std::make_unique<JournalFile>(std::move(*opened)));
}

Result<void> HostStore::set_aside_journal() {
  std::error_code ignored;
  if (!std::filesystem::exists(journal_file(), ignored)) return {};
  return JournalFile::set_aside(journal_file());
}

Result<std::shared_ptr<const Snapshot>> HostStore::read_snapshot() {
  return FileSnapshot::read(config_);
}

std::vector<std::string> HostStore::secrets(const std::string& snapshot_hash) {
  const SnapshotPaths paths(config_, snapshot_hash);
  return secrets_of(paths.environment_file, paths.config_directory);
}

}  // namespace slipway::deploy
