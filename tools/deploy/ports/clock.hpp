#pragma once

#include <chrono>
#include <stop_token>

namespace slipway::deploy {

// Deadlines are monotonic; the calendar is for people.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::steady_clock::time_point now() = 0;
  virtual std::chrono::system_clock::time_point utc() = 0;
  // Returns early when a stop is requested.
  virtual void sleep_for(std::chrono::nanoseconds duration, std::stop_token stop) = 0;
};

// Seconds on `clock` since `begin`.
double seconds_since(Clock& clock, std::chrono::steady_clock::time_point begin);

class SystemClock : public Clock {
 public:
  std::chrono::steady_clock::time_point now() override;
  std::chrono::system_clock::time_point utc() override;
  void sleep_for(std::chrono::nanoseconds duration, std::stop_token stop) override;
};

}  // namespace slipway::deploy
