#pragma once

#include "base/error.hpp"
#include "packet_bench/common/statistics.hpp"
#include "packet_bench/duet/duet_pair.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::bench {

enum class Metric : std::size_t { cpu, rate, p50, p99, memory };
inline constexpr std::size_t metric_count = 5;
inline constexpr std::array<std::string_view, metric_count> metric_names{"cpu", "rate", "p50",
                                                                         "p99", "memory"};

// How much worse the candidate may be: 0.015 is 1.5 % more CPU, latency or memory a packet, or
// 1.5 % fewer packets served.
//
// "Worse" is said when the whole confidence interval of the worsening lies above the allowance,
// "within" when all of it lies below. So the allowance is the border between the two and itself not
// seen with certainty: a change is caught reliably when it is larger by more than half the width of
// the interval. The default for cpu lies halfway between no change and 3 %, so that both are told
// apart equally well; to catch x %, allow x / 2.
struct Allowance {
  double worsening;
  // A deciding metric must be known to be within its allowance for a pass. The others only raise
  // the alarm.
  bool deciding;
};

struct DuetLimits {
  std::array<Allowance, metric_count> allowed{
      {{0.015, true}, {0.01, true}, {0.25, false}, {0.5, false}, {0.2, false}}};
  double alpha = 0.01;          // of a false "worse" at exactly the allowance, all looks together
  std::size_t first_look = 20;  // clean pairs
  std::size_t look_every = 10;
  // A process keeps what it happens to start with, so the pairs of a round may be off together: a
  // pass is not said before so many rounds were seen.
  std::size_t rounds_of_pass = 3;
  std::size_t planned_pairs = 240;  // the most: the information that the alpha is spent over
  // A slice is left out when others took more than these shares of it: a rule on causes, fixed
  // beforehand, which never sees what was measured.
  double most_steal = 0.05;
  double most_stall = 0.10;
  // A connector that waits for its processor longer than that is given what the kernel finds fair,
  // and uses that much, however slow it is (see put_first in duet_round.cpp).
  double most_wait = 0.5;
};

// "cpu=2%,p99=30%": these metrics decide, with these allowances, and the others keep theirs as
// alarms. Errors: usage.
Result<void> apply_max_worse(const std::string& text, DuetLimits& limits);

enum class Finding { worse, within, better, open };

struct MetricFinding {
  Metric metric = Metric::cpu;
  Allowance allowed{};
  std::size_t values = 0;
  // Relative worsening: 0.05 is 5 % worse, negative is better.
  double estimate = 0;
  Interval interval;
  double p_value = 1;  // that the candidate is no worse than allowed
  double visible = 0;  // the smallest worsening that would have been called worse 4 times in 5
  Finding finding = Finding::open;
};

enum class DuetOutcome { pass, regression, improvement, inconclusive };
std::string_view to_string(DuetOutcome outcome);
std::string_view to_string(Finding finding);

struct DuetVerdict {
  DuetOutcome outcome = DuetOutcome::inconclusive;
  std::vector<MetricFinding> findings;  // of the metrics that could be seen
  std::size_t pairs = 0;                // used
  std::size_t left_out = 0;
  std::size_t looks = 0;
  double seconds = 0;  // of all pairs, also of those left out
  double level = 0;    // at which the last look tested
  std::vector<std::string> reasons;

  int exit_status() const;  // 0 pass or improvement, 1 regression, 4 inconclusive
};

bool is_disturbed(const Pair& pair, const DuetLimits& limits);

// The relative worsening of each metric as the logarithm of a ratio; nothing where it could not be
// seen on both sides.
std::optional<double> worsening(const Pair& pair, Metric metric);

// Takes pairs as they come, live or from a recording, and looks at them now and then.
class DuetJudge {
 public:
  explicit DuetJudge(const DuetLimits& limits);

  // True when the verdict is clear, and no more pairs are wanted.
  bool add(const Pair& pair);
  // No more pairs are to be had: the last look. What is open stays inconclusive.
  DuetVerdict finish();

  const DuetVerdict& verdict() const { return verdict_; }

 private:
  void look(double information);
  MetricFinding find(Metric metric) const;
  std::vector<double> values_of(Metric metric) const;
  void conclude();
  bool is_enough_for_pass() const;
  bool serves_nothing() const;

  DuetLimits limits_;
  AlphaSpending spending_;
  std::vector<Pair> pairs_;
  std::size_t next_look_;
  bool clear_ = false;
  DuetVerdict verdict_;
};

// What is to be said where the candidate did not do `rate` (packets/s), though it may be no worse
// than the base: which no ratio tells. Empty: it did, but for what may be worse.
std::string shortfall(const std::vector<Pair>& pairs, double rate, const DuetLimits& limits);

// All of them, as if they came one by one.
DuetVerdict judge_pairs(const std::vector<Pair>& pairs, const DuetLimits& limits);

}  // namespace slipway::bench
