#pragma once

#include "net/lookup.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace slipway::test {

// A resolver that does not answer until it is let go: at the end of the test, or, so that nothing
// hangs that waits for it, after a while.
struct Silence {
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;
  bool over = false;
  bool let_go = false;  // after a while, which nobody should have waited for

  void wait_until_asked() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(20), [this] { return asked; });
  }
};

// Of the test that runs; shared with the threads that look up, which may outlive it.
inline std::atomic<std::shared_ptr<Silence>>& silence() {
  static std::atomic<std::shared_ptr<Silence>> of_now;
  return of_now;
}

inline Result<net::SocketAddresses> never_answers(const std::string&, std::uint16_t) {
  const std::shared_ptr<Silence> silent = silence();
  std::unique_lock lock(silent->mutex);
  silent->asked = true;
  silent->changed.notify_all();
  silent->changed.wait_for(lock, std::chrono::seconds(10), [&] { return silent->over; });
  silent->let_go |= !silent->over;
  return Error{ErrorKind::unreachable, "it was let go", {}};
}

class SilentResolver {
 public:
  SilentResolver() : silence_(std::make_shared<Silence>()) { silence() = silence_; }
  ~SilentResolver() {
    const std::lock_guard lock(silence_->mutex);
    silence_->over = true;
    silence_->changed.notify_all();
  }
  SilentResolver(const SilentResolver&) = delete;
  SilentResolver& operator=(const SilentResolver&) = delete;

  void wait_until_asked() { silence_->wait_until_asked(); }
  bool has_let_go() {
    const std::lock_guard lock(silence_->mutex);
    return silence_->let_go;
  }

 private:
  std::shared_ptr<Silence> silence_;
};

}  // namespace slipway::test
