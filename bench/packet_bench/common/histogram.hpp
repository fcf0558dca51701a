#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace slipway::bench {

// A latency histogram of fixed memory (about 260 KiB): from 0 to 73 minutes with a relative error
// of at most 1/1024, as HdrHistogram with three digits. Longer values are counted at the end.
class Histogram {
 public:
  Histogram();

  void record(std::chrono::nanoseconds value);  // a negative value counts as 0
  void add(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  std::chrono::nanoseconds max() const { return std::chrono::nanoseconds(max_); }
  double mean_ns() const;

  // The smallest recorded value (to the histogram's precision, rounded up within its bucket) that
  // at least `percent` of all values do not exceed; 0 when nothing was recorded.
  std::chrono::nanoseconds percentile(double percent) const;
  // The same in milliseconds; NaN where so few were recorded that none need be beyond it: p99 wants
  // 100 of them, p99.9 1,000.
  double percentile_ms(double percent) const;
  // The share of values above `bound`, 0 to 1.
  double share_above(std::chrono::nanoseconds bound) const;

  // How many there are up to each bound, in ms and ascending, and above the one before it; what is
  // above the last counts there.
  std::vector<std::uint64_t> counts_up_to(std::span<const double> bounds_ms) const;

  // For exports: the buckets' counts, and the highest value that falls in bucket i, in ns.
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  static std::uint64_t highest_value(std::size_t bucket);

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace slipway::bench
