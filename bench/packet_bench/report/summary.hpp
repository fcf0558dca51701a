#pragma once

#include "packet_bench/gate/gate.hpp"
#include "packet_bench/result/run_result.hpp"

#include <string>

namespace slipway::bench {

// The outcome of a run for a person, in a few lines.
std::string summary_text(const RunResult& result, const Verdict& verdict);

// "10000 packets/s", or what a closed loop sends.
std::string load_text(const RunResult& result);

}  // namespace slipway::bench
