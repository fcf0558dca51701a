#pragma once

#include "packet_bench/common/clock.hpp"
#include "packet_bench/result/run_result.hpp"
#include "packet_bench/subject/scrape.hpp"

namespace slipway::bench {

// The target's own figures from before the load to after it.
class MetricsWatch {
 public:
  // Errors: the page cannot be read; its TLS options cannot be used.
  static Result<MetricsWatch> begin(const Target& page, const net::TlsOptions& tls);

  // Enters what the target counted, and its cost where no process was watched. A target that is
  // gone enters nothing.
  void finish(RunResult& result) const;

 private:
  MetricsWatch(Target page, std::shared_ptr<const net::TlsContext> tls, const Scrape& before)
      : page_(std::move(page)), tls_(std::move(tls)), before_(before) {}

  Target page_;
  std::shared_ptr<const net::TlsContext> tls_;
  Scrape before_;
  TimePoint begun_ = Clock::now();
};

}  // namespace slipway::bench
