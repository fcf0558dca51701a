#include "deploy/ports/clock.hpp"

#include <condition_variable>
#include <mutex>

namespace slipway::deploy {

double seconds_since(Clock& clock, std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(clock.now() - begin).count();
}

std::chrono::steady_clock::time_point SystemClock::now() {
  return std::chrono::steady_clock::now();
}

std::chrono::system_clock::time_point SystemClock::utc() {
  return std::chrono::system_clock::now();
}

void SystemClock::sleep_for(std::chrono::nanoseconds duration, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace slipway::deploy
