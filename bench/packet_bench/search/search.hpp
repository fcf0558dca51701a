#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "packet_bench/run/run_flags.hpp"
#include "packet_bench/search/rate_search.hpp"

#include <chrono>
#include <stop_token>
#include <string>

namespace slipway::bench {

// `packet_bench search` as the user asked for it, checked.
struct SearchOptions {
  RunOptions run;  // of each probe; its rate and limits are the search's to set
  SearchLimits limits;
  std::chrono::nanoseconds slo_p99{0};
};

class SearchFlags {
 public:
  explicit SearchFlags(Flags& command);
  Result<SearchOptions> checked() const;

 private:
  RunFlags run_;
  std::string slo_p99_ = "10ms";
  double max_rate_ = 5'000'000;
  double resolution_ = 2;
};

// Runs the probes, tells of each on stderr, prints the rate that was found and what bounded it, and
// writes the results of the last run that confirmed it, with the search under details.search. The
// exit status: passed when the limit is the target's (or --max-rate), inconclusive when the
// generator or the machine was the limit, failed when no rate was sustained.
int search_command_line(const SearchOptions& options, const std::stop_token& stop);

}  // namespace slipway::bench
