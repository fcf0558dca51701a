#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace slipway::bench {

// A latency histogram from 0 to 73 minutes with a relative error of at most 1/1024, as HdrHistogram
// with three digits. Longer values are counted at the end. Memory: 1 KiB for each quarter of a
// power of two that a value fell in, at most 132 KiB.
class Histogram {
 public:
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

  // For exports: how many values fell in a bucket, and the highest that does, in ns.
  static constexpr std::size_t buckets() { return rows * row_length; }
  std::uint64_t count_in(std::size_t bucket) const;
  static std::uint64_t highest_value(std::size_t bucket);

 private:
  // Values below 2048 ns have a bucket each; above, every power of two is cut into 1024.
  static constexpr unsigned half_bits = 10;
  static constexpr std::size_t half = std::size_t{1} << half_bits;
  static constexpr unsigned value_bits = 42;  // 73 minutes
  static constexpr std::size_t row_length = half / 4;
  static constexpr std::size_t rows = (value_bits - half_bits + 1) * half / row_length;
  static constexpr std::uint64_t highest = (std::uint64_t{1} << value_bits) - 1;

  // Half the memory, and twice as much of it in the cache; what exceeds them is carried.
  using Row = std::vector<std::uint32_t>;

  static std::size_t bucket_of(std::uint64_t value);
  Row& row_of(std::size_t bucket);
  void carry(std::size_t bucket);

  std::array<Row, rows> rows_;                    // empty until a value falls in it
  std::map<std::size_t, std::uint64_t> carried_;  // by bucket, multiples of 2^32
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace slipway::bench
