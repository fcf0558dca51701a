#pragma once

#include "packet_bench/result/pace.hpp"
#include "packet_bench/result/run_result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::bench {

// packet_bench's exit statuses.
enum class ExitStatus {
  passed = 0,
  failed = 1,
  usage = 2,
  target = 3,
  inconclusive = 4,
  interrupted = 130,
};

// "Exit status: 0 passed, ...": for help texts, in lines of at most 80 characters.
std::string exit_status_help();

struct GateLimits {
  std::optional<double> threshold_tps;
  std::optional<std::chrono::nanoseconds> threshold_p99;
};

enum class Outcome { passed, failed, broken, invalid, interrupted };
std::string_view to_string(Outcome outcome);

struct Verdict {
  Outcome outcome = Outcome::passed;
  double tps = 0;
  Pace pace;
  bool latency_trusted = true;
  std::vector<std::string> reasons;   // why not passed, or what a pass rests on
  std::vector<std::string> warnings;  // cause and remedy of what disturbed the run

  ExitStatus exit_status() const;
};

// Pure: sees nothing but the result. Without limits a run passes when every packet was fulfilled
// or the target answered at all; limits are judged as Pace says.
//
// A disturbance withholds only what it undermines: a throughput that was reached stands however
// late the generator was (lateness can only lower it), and so does a p99 under its bound; a miss
// is held against the target only when the generator and the machine did not cause it.
Verdict judge(const RunResult& result, const GateLimits& limits);

}  // namespace slipway::bench
