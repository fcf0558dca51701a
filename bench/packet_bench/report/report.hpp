#pragma once

#include "packet_bench/gate/gate.hpp"
#include "packet_bench/result/run_result.hpp"

#include <string>

namespace slipway::bench {

// For a step summary: verdict, a table, and the seconds as a line of blocks that needs no renderer.
std::string markdown_report(const RunResult& result, const Verdict& verdict,
                            const GateLimits& limits);

// One self-contained page: verdict, the latency-percentile curve, latency and rate over time, the
// generator's own lateness. No scripts, nothing loaded from elsewhere.
std::string html_report(const RunResult& result, const Verdict& verdict, const GateLimits& limits);

}  // namespace slipway::bench
