#pragma once

#include "packet_bench/common/clock.hpp"
#include "packet_bench/result/run_result.hpp"
#include "packet_bench/subject/container.hpp"
#include "packet_bench/subject/machine.hpp"

#include <optional>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace slipway::bench {

// Reads, at the borders of the measured window's slices, what the target, this program and the
// hypervisor have used, on a thread of its own that is otherwise asleep.
class Sampler {
 public:
  Sampler(Watched target, TimePoint window_begin, std::chrono::nanoseconds window,
          std::size_t slices);

  // Ends the sampling, and enters what was seen into the result: cost, audit, slices.
  void finish(RunResult& result);

 private:
  struct Sample {
    TimePoint at;
    std::optional<ProcessUsage> target;
    ProcessUsage generator;
    ProcessorTimes machine;
  };
  Sample take() const;
  void work(const std::stop_token& stop);

  Watched target_;
  TimePoint window_begin_;
  std::chrono::nanoseconds window_;
  std::size_t slices_;
  std::vector<Sample> samples_;
  std::jthread thread_;
};

}  // namespace slipway::bench
