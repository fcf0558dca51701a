#pragma once

#include <chrono>
#include <cstdint>

namespace slipway::bench {

enum class Arrivals { constant, poisson };

// When each packet is due, as an offset from the start of the load. Open loop: nothing that
// happens during the run changes it. A value, and due(n) a pure function of n.
class Schedule {
 public:
  // `rate` in packets a second, positive. The seed matters for poisson only.
  Schedule(Arrivals arrivals, double rate, std::uint64_t seed);

  // Packet n, counted from 0. constant: n / rate, rounded to the nanosecond, so that nothing adds
  // up over hours. poisson: the sum of the first n exponential gaps, each a function of seed and
  // index alone; it costs O(n), so a run walks it with a Walker.
  std::chrono::nanoseconds due(std::uint64_t n) const;

 private:
  friend class ScheduleWalker;
  // The time between packets n and n + 1, in seconds (poisson).
  long double gap(std::uint64_t n) const;

  Arrivals arrivals_;
  long double rate_;
  std::uint64_t seed_;
};

// Visits the packets first, first + step, ... of a schedule in O(step) each.
class ScheduleWalker {
 public:
  ScheduleWalker(const Schedule& schedule, std::uint64_t first, std::uint64_t step);

  std::uint64_t number() const { return number_; }
  std::chrono::nanoseconds due() const { return due_; }
  void advance();

 private:
  Schedule schedule_;
  std::uint64_t number_;
  std::uint64_t step_;
  long double elapsed_ = 0;  // poisson: seconds up to number_
  std::chrono::nanoseconds due_;
};

// SplitMix64's output function: 64 well mixed bits from any 64.
constexpr std::uint64_t mixed(std::uint64_t bits) {
  bits += 0x9e3779b97f4a7c15;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

}  // namespace slipway::bench
