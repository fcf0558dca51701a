#pragma once

#include "packet_bench/gate/gate.hpp"
#include "packet_bench/result/run_result.hpp"

#include <string>

namespace slipway::bench {

// For a step summary: verdict, a table, and the seconds as a line of blocks that needs no renderer.
std::string markdown_report(const RunResult& result, const Verdict& verdict,
                            const GateLimits& limits);

// One page (see page.hpp): verdict, rate, latency, its heat map and percentiles, what was not
// fulfilled by kind, the generator's own lateness.
std::string html_report(const RunResult& result, const Verdict& verdict, const GateLimits& limits);

}  // namespace slipway::bench
