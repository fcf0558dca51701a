#include "packet_bench/common/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace slipway::bench {

std::size_t Histogram::bucket_of(std::uint64_t value) {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = width > half_bits + 1 ? width - (half_bits + 1) : 0;
  return shift * half + (value >> shift);
}

Histogram::Row& Histogram::row_of(std::size_t bucket) {
  Row& row = rows_[bucket / row_length];
  if (row.empty()) row.resize(row_length);
  return row;
}

void Histogram::carry(std::size_t bucket) {
  carried_[bucket] += std::uint64_t{1} << 32;
}

void Histogram::record(std::chrono::nanoseconds value) {
  const std::uint64_t raw = value.count() < 0 ? 0 : static_cast<std::uint64_t>(value.count());
  const std::size_t bucket = bucket_of(std::min(raw, highest));
  if (++row_of(bucket)[bucket % row_length] == 0) carry(bucket);
  ++count_;
  max_ = std::max(max_, raw);
  sum_ += static_cast<double>(raw);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < rows; ++i) {
    const Row& from = other.rows_[i];
    if (from.empty()) continue;
    Row& to = row_of(i * row_length);
    for (std::size_t j = 0; j < row_length; ++j) {
      to[j] += from[j];
      if (to[j] < from[j]) carry(i * row_length + j);
    }
  }
  for (const auto& [bucket, count] : other.carried_) carried_[bucket] += count;
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void Histogram::clear() {
  for (Row& row : rows_) std::fill(row.begin(), row.end(), 0);
  carried_.clear();
  count_ = 0;
  max_ = 0;
  sum_ = 0;
}

std::uint64_t Histogram::count_in(std::size_t bucket) const {
  const Row& row = rows_[bucket / row_length];
  if (row.empty()) return 0;
  const auto carried = carried_.find(bucket);
  return row[bucket % row_length] + (carried == carried_.end() ? 0 : carried->second);
}

double Histogram::mean_ns() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::highest_value(std::size_t bucket) {
  const std::size_t shift = bucket < 2 * half ? 0 : bucket / half - 1;
  return ((bucket - shift * half + 1) << shift) - 1;
}

std::chrono::nanoseconds Histogram::percentile(double percent) const {
  if (count_ == 0) return {};
  const double wanted = std::ceil(percent / 100 * static_cast<double>(count_) - 1e-6);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::max(0.0, wanted)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets(); ++i) {
    seen += count_in(i);
    if (seen >= rank) return std::chrono::nanoseconds(std::min(highest_value(i), max_));
  }
  return max();
}

double Histogram::percentile_ms(double percent) const {
  // Half a packet's worth of rounding.
  const double beyond = static_cast<double>(count_) * (1 - percent / 100);
  if (count_ == 0 || beyond < 1 - 1e-6) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(percentile(percent).count()) / 1e6;
}

double Histogram::share_above(std::chrono::nanoseconds bound) const {
  if (count_ == 0) return 0;
  std::uint64_t above = 0;
  for (std::size_t i = bucket_of(static_cast<std::uint64_t>(bound.count())) + 1; i < buckets();
       ++i) {
    above += count_in(i);
  }
  return static_cast<double>(above) / static_cast<double>(count_);
}

std::vector<std::uint64_t> Histogram::counts_up_to(std::span<const double> bounds_ms) const {
  std::vector<std::uint64_t> sums(bounds_ms.size());
  std::size_t bound = 0;
  for (std::size_t i = 0; i < buckets(); ++i) {
    if (count_in(i) == 0) continue;
    const double ms = static_cast<double>(highest_value(i)) / 1e6;
    while (bound + 1 < bounds_ms.size() && ms > bounds_ms[bound]) ++bound;
    sums[bound] += count_in(i);
  }
  return sums;
}

}  // namespace slipway::bench
