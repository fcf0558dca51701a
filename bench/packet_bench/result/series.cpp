#include "packet_bench/result/series.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::bench {
namespace {

double as_ms(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

// Round figures, ten to a decade (ISO 3's R10), from 1 us to 100 s.
const std::vector<double>& latency_bounds_ms() {
  static const std::vector<double> bounds = [] {
    std::vector<double> all;
    for (double decade = 1e-3; decade < 5e4; decade *= 10) {
      for (const double step : {1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0}) {
        all.push_back(std::round(step * decade * 1e6) / 1e6);
      }
    }
    return all;
  }();
  return bounds;
}

std::map<double, std::uint64_t> cells_of(const Histogram& latency) {
  const std::vector<double>& bounds = latency_bounds_ms();
  const std::vector<std::uint64_t> counts = latency.counts_up_to(bounds);
  std::map<double, std::uint64_t> cells;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (counts[i] > 0) cells[bounds[i]] = counts[i];
  }
  return cells;
}

SeriesPoint as_point(std::size_t index, const ThreadSecond& second) {
  return {.begin_s = static_cast<double>(index),
          .seconds = 1,
          .sent = second.sent,
          .fulfilled = second.fulfilled,
          .not_fulfilled = second.not_fulfilled,
          .p50_ms = second.latency.percentile_ms(50),
          .p99_ms = second.latency.percentile_ms(99),
          .max_ms = second.latency.count() > 0 ? as_ms(second.latency.max()) : nan(""),
          .lateness_max_ms = as_ms(second.lateness_max),
          .latency_up_to_ms = cells_of(second.latency),
          .lost = losses_by_kind(second.losses)};
}

// The joined point's p50 is the mean of both weighted by their packets, its p99 the larger one:
// what a plot needs, and no more than that.
SeriesPoint joined(const SeriesPoint& a, const SeriesPoint& b) {
  SeriesPoint sum = a;
  const double weight_a = static_cast<double>(a.fulfilled);
  const double weight_b = static_cast<double>(b.fulfilled);
  if (std::isnan(a.p50_ms)) {
    sum.p50_ms = b.p50_ms;
  } else if (!std::isnan(b.p50_ms)) {
    sum.p50_ms = (a.p50_ms * weight_a + b.p50_ms * weight_b) / (weight_a + weight_b);
  }
  sum.seconds = b.begin_s + b.seconds - a.begin_s;
  sum.sent += b.sent;
  sum.fulfilled += b.fulfilled;
  sum.not_fulfilled += b.not_fulfilled;
  sum.p99_ms = std::fmax(a.p99_ms, b.p99_ms);  // the other one where one is NaN
  sum.max_ms = std::fmax(a.max_ms, b.max_ms);
  sum.lateness_max_ms = std::max(a.lateness_max_ms, b.lateness_max_ms);
  for (const auto& [up_to, count] : b.latency_up_to_ms) sum.latency_up_to_ms[up_to] += count;
  for (const auto& [kind, count] : b.lost) sum.lost[kind] += count;
  return sum;
}

}  // namespace

void ThreadSecond::add(const ThreadSecond& other) {
  sent += other.sent;
  fulfilled += other.fulfilled;
  not_fulfilled += other.not_fulfilled;
  losses.add(other.losses);
  lateness_max = std::max(lateness_max, other.lateness_max);
  latency.add(other.latency);
}

void ThreadSecond::clear() {
  sent = fulfilled = not_fulfilled = 0;
  losses = {};
  lateness_max = {};
  latency.clear();
}

void SeriesRecorder::merge(std::size_t index, const ThreadSecond& second) {
  const std::lock_guard lock(mutex_);
  Open& open = open_[index];
  open.counts.add(second);
  ++open.threads;
  // In order: a second is closed only after those before it.
  while (!open_.empty() && open_.begin()->second.threads == threads_) {
    append(as_point(open_.begin()->first, open_.begin()->second.counts));
    open_.erase(open_.begin());
  }
}

std::optional<SeriesPoint> SeriesRecorder::last() const {
  const std::lock_guard lock(mutex_);
  if (points_.empty()) return std::nullopt;
  return points_.back();
}

std::vector<SeriesPoint> SeriesRecorder::points() const {
  const std::lock_guard lock(mutex_);
  std::vector<SeriesPoint> all = points_;
  for (const auto& [index, open] : open_) all.push_back(as_point(index, open.counts));
  return all;
}

void SeriesRecorder::append(const SeriesPoint& point) {
  if (!points_.empty() && points_.back().seconds < seconds_per_point_) {
    points_.back() = joined(points_.back(), point);
    return;
  }
  if (points_.size() == max_points) halve();
  points_.push_back(point);
}

void SeriesRecorder::halve() {
  for (std::size_t i = 0; i < max_points / 2; ++i) {
    points_[i] = joined(points_[2 * i], points_[2 * i + 1]);
  }
  points_.resize(max_points / 2);
  seconds_per_point_ *= 2;
}

}  // namespace slipway::bench
