#pragma once

#include "packet_bench/clock.hpp"
#include "packet_bench/run_result.hpp"
#include "packet_bench/scrape.hpp"

namespace slipway::bench {

// The target's own figures from before the load to after it.
class MetricsWatch {
 public:
  // Error: the page cannot be read.
  static Result<MetricsWatch> begin(const Target& page);

  // Enters what the target counted, and its cost where no process was watched. A target that is
  // gone enters nothing.
  void finish(RunResult& result) const;

 private:
  MetricsWatch(Target page, const Scrape& before) : page_(std::move(page)), before_(before) {}

  Target page_;
  Scrape before_;
  TimePoint begun_ = Clock::now();
};

}  // namespace slipway::bench
