#pragma once

// The candidate under load, compared with what the old colour did before the flip. Pure.

#include "service/service.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::deploy {

// What was answered, by counters: a window is the difference of two.
struct Totals {
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  double latency_sum_s = 0;
  std::uint64_t latency_count = 0;
  // Where whoever counts knows the mean of the last thousand or so, and no sums.
  std::optional<double> recent_mean_s = {};

  Totals since(const Totals& earlier) const;
  // Of another instance of the same version; recent means are not added.
  void add(const Totals& other);
  std::uint64_t answers() const { return good + bad; }
  double bad_share() const;
  std::optional<double> mean_latency_s() const;  // nothing: it was not counted
};

// Of a page in Prometheus' text format, by the selectors of `rules`. Lines that are neither are
// ignored; what is not on the page is 0.
Totals parse_totals(std::string_view metrics, const service::BakeRules& rules);

enum class BakeVerdict { good, worse, inconclusive };

struct BakeJudgement {
  BakeVerdict verdict = BakeVerdict::inconclusive;
  std::string reason;
};

BakeJudgement judge_bake(const service::BakeRules& rules, const Totals& baseline,
                         const Totals& candidate);

}  // namespace slipway::deploy
