#pragma once

#include "packet_bench/common/histogram.hpp"
#include "packet_bench/result/run_result.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace slipway::bench {

// What one thread saw in one second.
struct ThreadSecond {
  std::uint64_t sent = 0;
  std::uint64_t fulfilled = 0;
  std::uint64_t not_fulfilled = 0;
  PacketCounts losses;  // the same by kind
  std::chrono::nanoseconds lateness_max{0};
  Histogram latency;

  void add(const ThreadSecond& other);
  void clear();
};

// Joins the threads' seconds into one time series. Fixed memory: when it has max_points points,
// neighbours are joined and each covers twice the time from then on. Thread-safe.
class SeriesRecorder {
 public:
  static constexpr std::size_t max_points = 1024;

  explicit SeriesRecorder(unsigned threads) : threads_(threads) {}

  // Second `index` of one thread is over.
  void merge(std::size_t index, const ThreadSecond& second);
  // The last second that is over; nothing before the first.
  std::optional<SeriesPoint> last() const;
  // The series so far, open seconds included.
  std::vector<SeriesPoint> points() const;

 private:
  struct Open {
    ThreadSecond counts;
    unsigned threads = 0;
  };
  void append(const SeriesPoint& point);
  void halve();

  mutable std::mutex mutex_;
  unsigned threads_;
  std::map<std::size_t, Open> open_;
  std::vector<SeriesPoint> points_;
  double seconds_per_point_ = 1;
};

}  // namespace slipway::bench
