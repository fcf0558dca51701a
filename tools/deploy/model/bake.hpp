#pragma once

// The candidate under load, compared with what the old colour did before the flip. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::deploy {

struct BakeRules {
  std::chrono::nanoseconds window = std::chrono::nanoseconds::zero();  // zero: no bake
  std::chrono::nanoseconds longest = std::chrono::minutes(2);          // for an inconclusive one
  std::uint64_t minimum_packets = 200;
  double worse_rejects = 0.01;  // a share of rejects higher than the baseline's by this
  double worse_latency = 3.0;   // a mean latency this many times the baseline's, and above it by
  // this much: a busy neighbour triples a fraction of a millisecond, and no user sees that.
  std::chrono::nanoseconds latency_allowance = std::chrono::milliseconds(5);
};

// Totals out of /metrics: counters, so a window is the difference of two.
struct Totals {
  std::uint64_t fulfilled = 0;
  std::uint64_t rejected = 0;
  double latency_sum_s = 0;
  std::uint64_t latency_count = 0;

  Totals since(const Totals& earlier) const;
  std::uint64_t packets() const { return fulfilled + rejected; }
  double reject_share() const;
  double mean_latency_s() const;
};

// Sums ilp_packets_total by result, without direction="out", and ilp_packet_duration_seconds over
// all label sets. Lines that are neither are ignored.
Totals parse_totals(std::string_view metrics);

enum class BakeVerdict { good, worse, inconclusive };

struct BakeJudgement {
  BakeVerdict verdict = BakeVerdict::inconclusive;
  std::string reason;
};

BakeJudgement judge_bake(const BakeRules& rules, const Totals& baseline, const Totals& candidate);

}  // namespace slipway::deploy
