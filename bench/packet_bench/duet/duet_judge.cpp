#include "packet_bench/duet/duet_judge.hpp"

#include "packet_bench/common/text.hpp"
#include "packet_bench/gate/gate.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr double spending_exponent = 2;
constexpr double power_quantile = 0.8416;  // of 80 %

double relative(double logarithm) {
  return std::expm1(logarithm);
}

Error bad_allowance(std::string_view part) {
  return {ErrorKind::usage, fmt::format("--max-worse '{}' makes no sense", part),
          "give metrics of cpu, rate, p50, p99 and memory with a percentage, as cpu=2%,p99=30%"};
}

std::string sentence(const MetricFinding& finding) {
  return fmt::format("{} {}, allowed {}", metric_names[static_cast<std::size_t>(finding.metric)],
                     worth_text(finding.estimate, finding.interval.low, finding.interval.high),
                     bound_percent(finding.allowed.worsening));
}

}  // namespace

Result<void> apply_max_worse(const std::string& text, DuetLimits& limits) {
  for (Allowance& allowance : limits.allowed) allowance.deciding = false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t equals = part.find('=');
    const auto name = std::find(metric_names.begin(), metric_names.end(), part.substr(0, equals));
    if (equals == std::string::npos || name == metric_names.end() || !part.ends_with('%')) {
      return bad_allowance(part);
    }
    double value = 0;
    const char* const last = part.data() + part.size() - 1;
    const auto [stopped, failed] = std::from_chars(part.data() + equals + 1, last, value);
    if (failed != std::errc{} || stopped != last || !(value > 0 && value <= 1000)) {
      return bad_allowance(part);
    }
    limits.allowed[static_cast<std::size_t>(name - metric_names.begin())] = {value / 100, true};
  }
  return {};
}

std::string_view to_string(DuetOutcome outcome) {
  switch (outcome) {
    case DuetOutcome::pass:
      return "pass";
    case DuetOutcome::regression:
      return "regression";
    case DuetOutcome::improvement:
      return "improvement";
    case DuetOutcome::inconclusive:
      return "inconclusive";
  }
  return "unknown";
}

std::string_view to_string(Finding finding) {
  switch (finding) {
    case Finding::worse:
      return "worse";
    case Finding::within:
      return "within";
    case Finding::better:
      return "better";
    case Finding::open:
      return "open";
  }
  return "unknown";
}

int DuetVerdict::exit_status() const {
  switch (outcome) {
    case DuetOutcome::pass:
    case DuetOutcome::improvement:
      return static_cast<int>(ExitStatus::passed);
    case DuetOutcome::regression:
      return static_cast<int>(ExitStatus::failed);
    case DuetOutcome::inconclusive:
      break;
  }
  return static_cast<int>(ExitStatus::inconclusive);
}

bool is_disturbed(const Pair& pair, const DuetLimits& limits) {
  const double wait_s = std::max(pair.sides[base].wait_ms, pair.sides[candidate].wait_ms) / 1e3;
  return pair.steal_share > limits.most_steal || pair.stall_share > limits.most_stall ||
         wait_s > limits.most_wait * pair.seconds;
}

std::optional<double> worsening(const Pair& pair, Metric metric) {
  const auto ratio = [&](double PairSide::* member) -> std::optional<double> {
    const double before = pair.sides[base].*member;
    const double after = pair.sides[candidate].*member;
    if (!(before > 0 && after > 0) || !std::isfinite(before) || !std::isfinite(after)) {
      return std::nullopt;
    }
    return std::log(after / before);
  };
  switch (metric) {
    case Metric::cpu:
      return ratio(&PairSide::cpu_us_per_packet);
    case Metric::p50:
      return ratio(&PairSide::p50_ms);
    case Metric::p99:
      return ratio(&PairSide::p99_ms);
    case Metric::memory:
      return ratio(&PairSide::memory_mb);
    case Metric::rate: {
      // A side that serves nothing is as bad as can be, not unseen.
      constexpr double least = 1e-3;
      const double before = std::max(least, pair.sides[base].fulfilled_share);
      const double after = std::max(least, pair.sides[candidate].fulfilled_share);
      return std::log(before / after);
    }
  }
  return std::nullopt;
}

DuetJudge::DuetJudge(const DuetLimits& limits)
    : limits_(limits), spending_(limits.alpha, spending_exponent), next_look_(limits.first_look) {}

bool DuetJudge::add(const Pair& pair) {
  verdict_.seconds += pair.seconds;
  if (is_disturbed(pair, limits_)) {
    ++verdict_.left_out;
    return clear_;
  }
  pairs_.push_back(pair);
  verdict_.pairs = pairs_.size();
  if (pairs_.size() >= next_look_ && pairs_.size() < limits_.planned_pairs) {
    look(static_cast<double>(pairs_.size()) / static_cast<double>(limits_.planned_pairs));
    next_look_ = pairs_.size() + limits_.look_every;
  }
  return clear_;
}

DuetVerdict DuetJudge::finish() {
  if (!clear_ && pairs_.size() >= limits_.first_look) look(1);
  if (pairs_.size() < limits_.first_look) {
    verdict_.reasons = {fmt::format(
        "only {} undisturbed pairs, and at least {} are needed to say anything ({} were left out "
        "because others took the processors); repeat it longer or on a quieter machine",
        pairs_.size(), limits_.first_look, verdict_.left_out)};
  }
  return verdict_;
}

// Memory is the process's, not the slice's: one value for each round.
std::vector<double> DuetJudge::values_of(Metric metric) const {
  std::vector<double> values;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const bool last_of_round = i + 1 == pairs_.size() || pairs_[i + 1].round != pairs_[i].round;
    if (metric == Metric::memory && !last_of_round) continue;
    if (const auto value = worsening(pairs_[i], metric)) values.push_back(*value);
  }
  return values;
}

MetricFinding DuetJudge::find(Metric metric) const {
  const std::vector<double> values = values_of(metric);
  MetricFinding finding;
  finding.metric = metric;
  finding.allowed = limits_.allowed[static_cast<std::size_t>(metric)];
  finding.values = values.size();
  if (values.empty()) return finding;
  const double border = std::log1p(finding.allowed.worsening);
  const double center = hodges_lehmann(values);
  const Interval interval = signed_rank_interval(values, verdict_.level);
  std::vector<double> above = values;
  for (double& value : above) value -= border;
  finding.p_value = signed_rank_upper_p(above);
  finding.estimate = relative(center);
  finding.interval = {relative(interval.low), relative(interval.high)};
  const double critical = -normal_quantile(std::clamp(verdict_.level, 1e-12, 0.5));
  const double half_width = (interval.high - interval.low) / 2;
  finding.visible = relative(border + half_width * (1 + power_quantile / critical));
  if (interval.low > border) {
    finding.finding = Finding::worse;
  } else if (interval.high < 0) {
    finding.finding = Finding::better;
  } else if (interval.high < border) {
    finding.finding = Finding::within;
  }
  return finding;
}

void DuetJudge::look(double information) {
  verdict_.level = spending_.next_level(information);
  ++verdict_.looks;
  verdict_.findings.clear();
  for (std::size_t i = 0; i < metric_count; ++i) {
    MetricFinding finding = find(static_cast<Metric>(i));
    if (finding.values > 0 || finding.allowed.deciding) verdict_.findings.push_back(finding);
  }
  conclude();
}

bool DuetJudge::is_enough_for_pass() const {
  std::size_t rounds = 1;
  for (std::size_t i = 1; i < pairs_.size(); ++i) rounds += pairs_[i].round != pairs_[i - 1].round;
  return rounds >= limits_.rounds_of_pass;
}

// Where the base serves nothing either, no ratio tells.
bool DuetJudge::serves_nothing() const {
  return std::all_of(pairs_.begin(), pairs_.end(),
                     [](const Pair& pair) { return pair.sides[candidate].fulfilled_share == 0; });
}

void DuetJudge::conclude() {
  std::vector<std::string> worse;
  if (serves_nothing()) worse.emplace_back("the candidate served nothing");
  std::vector<std::string> open;
  bool better = false;
  for (const MetricFinding& finding : verdict_.findings) {
    if (finding.finding == Finding::worse) worse.push_back(sentence(finding));
    if (!finding.allowed.deciding) continue;
    if (finding.finding == Finding::open) open.push_back(sentence(finding));
    better = better || finding.finding == Finding::better;
  }
  clear_ = !worse.empty() || (open.empty() && is_enough_for_pass());
  verdict_.reasons.clear();
  if (!worse.empty()) {
    verdict_.outcome = DuetOutcome::regression;
    for (const std::string& text : worse) verdict_.reasons.push_back("worse: " + text);
  } else if (!open.empty()) {
    verdict_.outcome = DuetOutcome::inconclusive;
    for (const std::string& text : open) verdict_.reasons.push_back("not clear: " + text);
  } else {
    verdict_.outcome = better ? DuetOutcome::improvement : DuetOutcome::pass;
  }
}

std::string shortfall(const std::vector<Pair>& pairs, double rate, const DuetLimits& limits) {
  std::array<std::vector<double>, 2> shares;
  for (const Pair& pair : pairs) {
    if (is_disturbed(pair, limits)) continue;
    for (const Side side : {base, candidate}) {
      shares[side].push_back(pair.sides[side].fulfilled_share);
    }
  }
  if (shares[candidate].empty()) return {};
  const double allowed = limits.allowed[static_cast<std::size_t>(Metric::rate)].worsening;
  if (median(shares[candidate]) >= 1 - allowed) return {};
  return fmt::format(
      "the rate of {:.6g} packets/s was not done here: the candidate answered {:.1f} % of it, the "
      "base {:.1f} %",
      rate, 100 * median(shares[candidate]), 100 * median(shares[base]));
}

DuetVerdict judge_pairs(const std::vector<Pair>& pairs, const DuetLimits& limits) {
  DuetJudge judge(limits);
  for (const Pair& pair : pairs) {
    if (judge.add(pair)) break;
  }
  return judge.finish();
}

}  // namespace slipway::bench
