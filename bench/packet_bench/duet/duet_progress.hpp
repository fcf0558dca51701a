#pragma once

#include "packet_bench/common/clock.hpp"
#include "packet_bench/duet/duet_judge.hpp"

#include <mutex>
#include <optional>
#include <string>

namespace slipway::bench {

// How far a duet is, on one line: "37 pairs, 2 left out  cpu +0.4 % (-0.3 % to +1.1 %)  at most
// 52 s left". `cpu`: of the last look; nothing before the first, which is after `first_look` pairs.
std::string progress_text(std::size_t pairs, std::size_t left_out, std::size_t first_look,
                          const std::optional<MetricFinding>& cpu, double left_s);

// The same of a duet that goes on. Thread-safe.
class DuetProgress {
 public:
  DuetProgress(TimePoint deadline, std::size_t first_look)
      : deadline_(deadline), first_look_(first_look) {}

  void note(const DuetVerdict& verdict);
  std::string text(TimePoint now) const;

 private:
  const TimePoint deadline_;
  const std::size_t first_look_;
  mutable std::mutex mutex_;
  std::size_t pairs_ = 0;
  std::size_t left_out_ = 0;
  std::optional<MetricFinding> cpu_;
};

}  // namespace slipway::bench
