#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace slipway::connector {

// A Prometheus histogram of durations with fixed buckets. Recording is a few nanoseconds.
class DurationHistogram {
 public:
  // Upper bounds in microseconds.
  static constexpr std::array<std::uint32_t, 16> bounds_us{
      50,     100,    250,     500,     1'000,   2'500,     5'000,     10'000,
      25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};

  void record(std::chrono::nanoseconds duration) {
    const auto nanoseconds =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
    std::size_t bucket = 0;
    while (bucket < bounds_us.size() && nanoseconds > std::uint64_t{bounds_us[bucket]} * 1000) {
      ++bucket;
    }
    ++counts_[bucket];
    sum_ns_ += nanoseconds;
  }

  // Counts of each bucket alone; the last is what is over every bound.
  const std::array<std::uint64_t, bounds_us.size() + 1>& counts() const { return counts_; }
  double sum_seconds() const { return static_cast<double>(sum_ns_) / 1e9; }

 private:
  std::array<std::uint64_t, bounds_us.size() + 1> counts_{};
  std::uint64_t sum_ns_ = 0;
};

}  // namespace slipway::connector
