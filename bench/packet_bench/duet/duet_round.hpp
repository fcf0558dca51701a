#pragma once

#include "packet_bench/duet/duet_pair.hpp"
#include "packet_bench/duet/duet_target.hpp"

#include <functional>
#include <stop_token>
#include <string>

namespace slipway::bench {

// Two connectors as processes of their own, or containers', started anew for every round: what a
// process's memory happens to look like stays with it for life, and one pair of processes would
// show that as a difference between the programs. What runs already stays as it is.
struct DuetRound {
  std::array<DuetTarget, 2> targets;
  std::array<int, 2> extra_cpu_percent{};  // see EmbeddedConnector
  double rate = 10'000;
  unsigned connections = 1;  // to each
  HttpRequest http;          // for sides that are driven by HTTP
  std::chrono::nanoseconds warmup = std::chrono::seconds(1);
  std::chrono::nanoseconds slice = std::chrono::milliseconds(500);
  std::uint64_t seed = 1;
  net::TlsOptions tls;
  unsigned number = 0;
};

struct RoundOutcome {
  std::string refused;  // what the kernel refused to do with the processes (see Places::refused)
  std::array<SideTotals, 2> totals;
};

// Starts both, which one first being drawn from the seed, drives them, and hands over each pair
// until `on_pair` says no. Twenty times a second the connectors change processors, so that each has
// spent the same time on both: what one has as a neighbour the other has as well. Where only one of
// them may be moved, neither is.
// (Both on one processor is worse: they fall into step, and the second finds warm what the first
// found cold; 8 and 17 us a packet were seen of the same program.)
Result<RoundOutcome> play_round(const DuetRound& round,
                                const std::function<bool(const Pair&)>& on_pair,
                                std::stop_token stop);

}  // namespace slipway::bench
