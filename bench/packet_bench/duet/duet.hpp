#pragma once

#include "base/error.hpp"
#include "packet_bench/duet/duet_judge.hpp"
#include "packet_bench/duet/duet_target.hpp"
#include "packet_bench/result/run_result.hpp"

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::bench {

// `packet_bench duet`, checked.
struct DuetOptions {
  std::array<DuetTarget, 2> targets;
  std::array<int, 2> extra_cpu_percent{};  // see EmbeddedConnector
  double rate = 10'000;                    // packets a second, to each
  unsigned connections = 1;                // to each
  HttpRequest http;                        // for targets that are driven by HTTP
  std::chrono::nanoseconds max_duration = std::chrono::seconds(90);
  std::chrono::nanoseconds warmup = std::chrono::seconds(1);
  std::chrono::nanoseconds slice = std::chrono::milliseconds(500);
  std::chrono::nanoseconds round = std::chrono::seconds(5);
  std::uint64_t seed = 1;
  bool whole_rounds = false;  // the last one is measured to its end though the verdict is clear
  DuetLimits limits;
  net::TlsOptions tls;
  std::filesystem::path output;  // empty: none
  std::filesystem::path report;
  bool json = false;
};

// Everything that was measured and decided, as a plain value.
struct DuetResult {
  std::chrono::system_clock::time_point begun_at;
  std::array<std::string, 2> targets;
  std::string commit;              // of the candidate, where its image says it
  std::vector<std::string> notes;  // what the reader must know of how it was measured
  double rate = 0;
  double slice_s = 0;
  double round_s = 0;
  double max_duration_s = 0;
  double elapsed_s = 0;  // until the verdict
  std::uint64_t seed = 0;
  std::vector<Pair> pairs;
  DuetLimits limits;
  DuetVerdict verdict;
  Context context;
};

// The most that can be measured in the time, when starting and warming up take their part of it.
std::size_t planned_pairs(const DuetOptions& options);

// Plays rounds until the verdict is clear or the time is over.
Result<DuetResult> duet(const DuetOptions& options, std::stop_token stop);

// Measures, writes results and report, prints the summary or the JSON. The exit status.
int duet_command_line(const DuetOptions& options, std::stop_token stop);

}  // namespace slipway::bench
