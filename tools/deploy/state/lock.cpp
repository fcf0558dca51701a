#include "deploy/state/lock.hpp"

#include "base/durable_file.hpp"

#include <cerrno>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace slipway::deploy {
namespace {

std::optional<LockOwner> parse_owner(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return LockOwner{json.value("pid", 0), json.value("operation", ""), json.value("actor", ""),
                   json.value("since", ""), json.value("step", "")};
}

// Seconds since an RFC 3339 UTC time; nothing where it cannot be read or lies ahead.
std::optional<long> age_s(const std::string& since) {
  std::tm utc{};
  if (::strptime(since.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return std::nullopt;
  const long age = static_cast<long>(::time(nullptr) - ::timegm(&utc));
  if (age < 0) return std::nullopt;
  return age;
}

}  // namespace

std::string LockOwner::describe() const {
  std::string text = fmt::format("{} by {} (process {}), since {}", operation, actor, pid, since);
  if (const auto age = age_s(since)) text += fmt::format(" ({} s ago)", *age);
  if (!step.empty()) text += fmt::format(", at step {}", step);
  return text;
}

Result<Lock> Lock::acquire(const std::filesystem::path& file, const LockOwner& owner) {
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
  Lock lock(std::move(fd));
  lock.note_owner(owner);
  return lock;
}

Lock Lock::adopt(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return Lock(UniqueFd(fd));
}

std::optional<LockOwner> Lock::read_owner(const std::filesystem::path& file) {
  const auto text = read_file(file, 65536);
  return text ? parse_owner(*text) : std::nullopt;
}

std::optional<LockOwner> Lock::holder(const std::filesystem::path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return std::nullopt;
  // A shared lock of an instant: it fails only while somebody works.
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return read_owner(file).value_or(LockOwner{});
}

void Lock::note_owner(const LockOwner& owner) {
  owner_ = owner;
  const std::string text = nlohmann::json{{"pid", owner.pid},
                                          {"operation", owner.operation},
                                          {"actor", owner.actor},
                                          {"since", owner.since},
                                          {"step", owner.step}}
                               .dump() +
                           "\n";
  // Information for people: a failure to write it must not stop the work. One write, then the cut,
  // so that a reader sees the old text or the new one, perhaps with a tail that it cannot parse.
  if (::pwrite(fd_.get(), text.data(), text.size(), 0) >= 0) {
    (void)!::ftruncate(fd_.get(), static_cast<off_t>(text.size()));
  }
}

void Lock::note_step(const std::string& step) {
  owner_.step = step;
  note_owner(owner_);
}

}  // namespace slipway::deploy
