#pragma once

#include "packet_bench/gate.hpp"
#include "packet_bench/run_result.hpp"

#include <string>

namespace slipway::bench {

// The outcome of a run for a person, in a few lines.
std::string summary_text(const RunResult& result, const Verdict& verdict);

// "10000 packets/s", or what a closed loop sends.
std::string load_text(const RunResult& result);

// "3 rejected with T01, 2 unanswered": the packets that were not fulfilled; empty when all were.
std::string losses_text(const PacketCounts& packets);

}  // namespace slipway::bench
