#include "packet_bench/common/text.hpp"
#include "packet_bench/duet/duet_report.hpp"
#include "packet_bench/duet/duet_words.hpp"
#include "packet_bench/report/page.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// A line's value of a pair; NaN is a gap.
using ValueOf = std::function<double(const Pair&)>;

// The lines of a chart over the pairs. Between two rounds is a gap: other processes go on.
void draw_pairs(const DuetResult& result, const std::vector<ValueOf>& values, Chart& chart) {
  double at = 0;
  for (std::size_t i = 0; i < result.pairs.size(); ++i) {
    const Pair& pair = result.pairs[i];
    if (i > 0 && pair.round != result.pairs[i - 1].round) {
      chart.at.push_back(at);
      chart.widths.push_back(0);
      for (Chart::Line& line : chart.lines) line.values.push_back(no_value);
    }
    chart.at.push_back(at + pair.seconds / 2);
    chart.widths.push_back(pair.seconds);
    for (std::size_t line = 0; line < values.size(); ++line) {
      chart.lines[line].values.push_back(values[line](pair));
    }
    at += pair.seconds;
  }
  chart.length = at;
}

// How many times its least value the greatest is.
double spread_of(const Chart& chart) {
  double least = no_value;
  double most = no_value;
  for (const Chart::Line& line : chart.lines) {
    for (const double value : line.values) {
      least = std::fmin(least, value);
      most = std::fmax(most, value);
    }
  }
  return most / least;
}

// Both sides in the metric's own unit; logarithmic where they differ much.
Chart sides_chart(const DuetResult& result, Chart chart, double PairSide::* member) {
  chart.lines = {{"base", "first", {}}, {"candidate", "second", {}}};
  const auto value_of = [&](Side side) {
    return [&result, member, side](const Pair& pair) {
      const double value = pair.sides[side].*member;
      return is_disturbed(pair, result.limits) || value <= 0 ? no_value : value;
    };
  };
  draw_pairs(result, {value_of(base), value_of(candidate)}, chart);
  chart.log_y = spread_of(chart) > 10;
  return chart;
}

double percent_worse(const Pair& pair) {
  const auto value = worsening(pair, Metric::cpu);
  return value ? 100 * std::expm1(*value) : no_value;
}

Chart worsening_chart(const DuetResult& result) {
  Chart chart{.id = "cpu-worse",
              .title = "CPU a packet, candidate against base",
              .unit = "% worse; a point is a pair"};
  chart.lines = {{"counted", "third", {}, true}, {"left out", "muted", {}, true}};
  draw_pairs(result,
             {[&](const Pair& pair) {
                return is_disturbed(pair, result.limits) ? no_value : percent_worse(pair);
              },
              [&](const Pair& pair) {
                return is_disturbed(pair, result.limits) ? percent_worse(pair) : no_value;
              }},
             chart);
  const double allowed =
      100 * result.limits.allowed[static_cast<std::size_t>(Metric::cpu)].worsening;
  chart.levels = {{"allowed", "bad", allowed, allowed}, {"no difference", "muted", 0, 0}};
  const MetricFinding* const cpu = cpu_finding(result.verdict);
  if (cpu != nullptr && std::isfinite(cpu->interval.low) && std::isfinite(cpu->interval.high)) {
    chart.levels.push_back(
        {"interval", "third", 100 * cpu->interval.low, 100 * cpu->interval.high});
  }
  return chart;
}

std::vector<Chart> charts_of(const DuetResult& result) {
  std::vector<Chart> charts;
  if (result.pairs.size() < 2) return charts;
  const bool seen = std::any_of(result.pairs.begin(), result.pairs.end(), [](const Pair& pair) {
    return worsening(pair, Metric::cpu).has_value();
  });
  if (seen) {
    charts.push_back(worsening_chart(result));
    charts.push_back(sides_chart(result, {.id = "cpu", .title = "CPU a packet", .unit = "µs"},
                                 &PairSide::cpu_us_per_packet));
  }
  charts.push_back(
      sides_chart(result, {.id = "p50", .title = "Latency, p50", .unit = "ms"}, &PairSide::p50_ms));
  charts.push_back(
      sides_chart(result, {.id = "p99", .title = "Latency, p99", .unit = "ms"}, &PairSide::p99_ms));
  return charts;
}

}  // namespace

std::string duet_html(const DuetResult& result) {
  Page page{
      .command = "packet_bench duet",
      .outcome = std::string(to_string(result.verdict.outcome)),
      .headline = length_text(result),
      .subject = fmt::format("{} against {}", result.targets[candidate], result.targets[base]),
      .reasons = result.verdict.reasons,
      .charts = charts_of(result)};
  for (const MetricFinding& finding : result.verdict.findings) {
    page.comparisons.push_back({.name = std::string(name_of(finding.metric)),
                                .estimate = finding.estimate,
                                .low = finding.interval.low,
                                .high = finding.interval.high,
                                .allowed = finding.allowed.worsening,
                                .finding = std::string(to_string(finding.finding)),
                                .note = note_text(finding)});
  }
  page.facts = {{"base", result.targets[base]},
                {"candidate", result.targets[candidate]},
                {"load", fmt::format("{:g} packets/s to each, pairs of {:.2g} s, seed {}",
                                     result.rate, result.slice_s, result.seed)},
                {"disturbed", disturbance_text(result)}};
  for (const std::string& note : result.notes) page.facts.emplace_back("note", note);
  page.facts.emplace_back("machine", fmt::format("{} x {}, {}", result.context.cpus,
                                                 result.context.cpu_model, result.context.kernel));
  return to_html(page);
}

}  // namespace slipway::bench
