#include "deploy/state/lock_file.hpp"

#include "base/durable_file.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

std::optional<LockOwner> read_owner(const std::filesystem::path& file) {
  const auto text = read_file(file, 65536);
  return text ? parse_lock_owner(*text) : std::nullopt;
}

// The other processes of the session that `leader` leads, none where it leads none.
std::vector<pid_t> others_in_session(pid_t leader) {
  std::vector<pid_t> found;
  if (::getsid(leader) != leader) return found;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry("/proc", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto pid = static_cast<pid_t>(std::atol(entry->path().filename().c_str()));
    if (pid > 0 && pid != leader && ::getsid(pid) == leader) found.push_back(pid);
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<Lock>> LockFile::acquire(const std::filesystem::path& file,
                                                const LockOwner& owner) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return io_error("cannot open the lock", file.string(), errno);
  // Somebody who only asks whether the lock is held holds it for an instant: hence a few tries.
  int failed = ::flock(fd.get(), LOCK_EX | LOCK_NB);
  for (int attempt = 0; failed != 0 && attempt < 5; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    failed = ::flock(fd.get(), LOCK_EX | LOCK_NB);
  }
  if (failed != 0 && errno == EWOULDBLOCK) {
    const auto holder = read_owner(file);
    return Error{ErrorKind::busy,
                 "another operation holds the lock: " +
                     (holder ? holder->describe() : std::string("its owner is not known yet")),
                 "follow it with 'rollback --status', or queue with --wait"};
  }
  if (failed != 0) return io_error("cannot lock", file.string(), errno);
  std::unique_ptr<Lock> lock(new LockFile(std::move(fd)));
  lock->note_owner(owner);
  return lock;
}

std::unique_ptr<Lock> LockFile::adopt(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return std::unique_ptr<Lock>(new LockFile(UniqueFd(fd)));
}

void LockFile::keep_across_exec() const {
  ::fcntl(fd_.get(), F_SETFD, 0);
}

std::optional<LockOwner> LockFile::holder(const std::filesystem::path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return std::nullopt;
  // A shared lock of an instant: it fails only while somebody works.
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return read_owner(file).value_or(LockOwner{});
}

Result<std::optional<LockOwner>> LockFile::end_holder(const std::filesystem::path& file) {
  auto held_by = holder(file);
  if (!held_by || held_by->pid <= 0) return std::optional<LockOwner>{};
  std::error_code failed;
  const auto executable =
      std::filesystem::read_symlink(fmt::format("/proc/{}/exe", held_by->pid), failed);
  const std::string name = executable.filename().string();
  if (failed || (!name.starts_with("deploy") && !name.starts_with("rollback"))) {
    return Error{ErrorKind::busy,
                 fmt::format("process {} holds the lock and is not one of ours", held_by->pid),
                 "look at it before ending it by hand"};
  }
  // What it started (docker, compose) would go on beside whoever takes the lock next.
  const std::vector<pid_t> children = others_in_session(held_by->pid);
  ::kill(held_by->pid, SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  const auto still_holds = [&] {
    const auto now = holder(file);
    return now && now->pid == held_by->pid;  // else one that waited has it already
  };
  for (int i = 0; i < 500 && still_holds(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return held_by;
}

void LockFile::note_owner(const LockOwner& owner) {
  owner_ = owner;
  const std::string text = owner.to_json_text() + "\n";
  // Information for people: a failure to write it must not stop the work. One write, then the cut,
  // so that a reader sees the old text or the new one, perhaps with a tail that it cannot parse.
  if (::pwrite(fd_.get(), text.data(), text.size(), 0) >= 0) {
    (void)!::ftruncate(fd_.get(), static_cast<off_t>(text.size()));
  }
}

void LockFile::note_step(const std::string& step) {
  owner_.step = step;
  note_owner(owner_);
}

}  // namespace slipway::deploy
