#pragma once

#include "base/error.hpp"
#include "packet_bench/gate/gate.hpp"
#include "packet_bench/result/run_result.hpp"
#include "packet_bench/run/options.hpp"

#include <stop_token>

namespace slipway::bench {

struct JudgedRun {
  RunResult result;
  Verdict verdict;
};

// One measurement: starts or reaches the target, drives the load, samples both sides. An error
// when the target could not be reached at all; one that was lost on the way is in the result.
Result<RunResult> measure(const RunOptions& options, const std::stop_token& stop);

// Measures, judges, and repeats an invalid run as often as the options allow.
Result<JudgedRun> run(const RunOptions& options, const std::stop_token& stop);

// Everything `packet_bench run` does with checked options: measures, writes the results and the
// report, prints the summary or the JSON. The exit status.
int run_command_line(const RunOptions& options, const std::stop_token& stop);

}  // namespace slipway::bench
