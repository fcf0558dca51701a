#include "deploy/model/bake.hpp"

#include "net/prometheus_text.hpp"

#include <map>
#include <vector>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

using Samples = std::vector<net::MetricSample>;

// A counter's sum; 0 where the page has none, or one that is no count.
std::uint64_t count_of(const Samples& samples, const std::string& name,
                       const std::map<std::string, std::string>& labels) {
  const double sum = net::sum_of(samples, name, labels).value_or(0);
  return sum > 0 && sum < 1e19 ? static_cast<std::uint64_t>(sum) : 0;
}

constexpr std::uint64_t answers_in_mean = 2048;

std::uint64_t difference(std::uint64_t later, std::uint64_t earlier) {
  // A counter that went down was restarted from zero.
  return later >= earlier ? later - earlier : later;
}

}  // namespace

void Totals::add(const Totals& other) {
  good += other.good;
  bad += other.bad;
  latency_sum_s += other.latency_sum_s;
  latency_count += other.latency_count;
}

Totals Totals::since(const Totals& earlier) const {
  Totals window = *this;
  window.good = difference(good, earlier.good);
  window.bad = difference(bad, earlier.bad);
  window.latency_count = difference(latency_count, earlier.latency_count);
  if (latency_sum_s >= earlier.latency_sum_s) window.latency_sum_s -= earlier.latency_sum_s;
  // Before that many are of the window it is still the mean of what was before.
  if (earlier.answers() > 0 && window.answers() < answers_in_mean) window.recent_mean_s.reset();
  return window;
}

double Totals::bad_share() const {
  return answers() == 0 ? 0 : static_cast<double>(bad) / static_cast<double>(answers());
}

std::optional<double> Totals::mean_latency_s() const {
  if (recent_mean_s || latency_count == 0) return recent_mean_s;
  return latency_sum_s / static_cast<double>(latency_count);
}

Totals parse_totals(std::string_view metrics, const service::BakeRules& rules) {
  const Samples samples = net::parse_metrics(metrics);
  Totals totals;
  if (rules.good) totals.good = count_of(samples, rules.good->name, rules.good->labels);
  if (rules.bad) totals.bad = count_of(samples, rules.bad->name, rules.bad->labels);
  if (!rules.seconds) return totals;
  const auto& [name, labels] = *rules.seconds;
  totals.latency_sum_s = net::sum_of(samples, name + "_sum", labels).value_or(0);
  totals.latency_count = count_of(samples, name + "_count", labels);
  return totals;
}

BakeJudgement judge_bake(const service::BakeRules& rules, const Totals& baseline,
                         const Totals& candidate) {
  if (candidate.answers() < rules.minimum_requests || baseline.answers() < rules.minimum_requests) {
    return {BakeVerdict::inconclusive,
            fmt::format("{} requests on the new colour and {} on the old are fewer than the {} "
                        "that a judgement needs",
                        candidate.answers(), baseline.answers(), rules.minimum_requests)};
  }
  if (candidate.bad_share() > baseline.bad_share() + rules.worse_errors) {
    return {BakeVerdict::worse,
            fmt::format("{:.2f} % of requests answered badly, {:.2f} % before",
                        candidate.bad_share() * 100, baseline.bad_share() * 100)};
  }
  const double allowance_s = std::chrono::duration<double>(rules.latency_allowance).count();
  const auto now = candidate.mean_latency_s();
  const auto before = baseline.mean_latency_s();
  if (now && before && *now > *before * rules.worse_latency && *now > *before + allowance_s) {
    return {BakeVerdict::worse,
            fmt::format("mean latency {:.3f} ms, {:.3f} ms before", *now * 1e3, *before * 1e3)};
  }
  return {BakeVerdict::good, fmt::format("{} requests, {:.2f} % answered badly",
                                         candidate.answers(), candidate.bad_share() * 100)};
}

}  // namespace slipway::deploy
