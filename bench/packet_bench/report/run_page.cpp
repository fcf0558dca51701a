#include "base/units.hpp"
#include "packet_bench/common/text.hpp"
#include "packet_bench/report/page.hpp"
#include "packet_bench/report/report.hpp"
#include "packet_bench/report/summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

// The whole seconds: a last one that was cut off would look like a drop.
std::vector<const SeriesPoint*> whole_seconds(const RunResult& result) {
  std::vector<const SeriesPoint*> points;
  for (const SeriesPoint& point : result.series) {
    if (point.begin_s + point.seconds <= result.window_s + 0.01) points.push_back(&point);
  }
  return points;
}

// A chart over the run's time, still without values.
Chart over_time(const RunResult& result, Chart chart) {
  chart.length = result.window_s;
  for (const SeriesPoint* const point : whole_seconds(result)) {
    chart.at.push_back(point->begin_s + point->seconds / 2);
    chart.widths.push_back(point->seconds);
  }
  return chart;
}

// On a logarithmic axis 0 has no place.
std::vector<double> times_of(const RunResult& result, double SeriesPoint::* member) {
  std::vector<double> values;
  for (const SeriesPoint* const point : whole_seconds(result)) {
    const double value = thousandths(point->*member);
    values.push_back(value > 0 ? value : no_value);
  }
  return values;
}

std::vector<double> rates_of(const RunResult& result, std::uint64_t SeriesPoint::* member) {
  std::vector<double> values;
  for (const SeriesPoint* const point : whole_seconds(result)) {
    values.push_back(thousandths(static_cast<double>(point->*member) / point->seconds));
  }
  return values;
}

Chart rate_chart(const RunResult& result, const GateLimits& limits) {
  Chart chart =
      over_time(result, {.id = "rate", .title = "Packets a second", .unit = "sent, and fulfilled"});
  chart.lines = {{"sent", "muted", rates_of(result, &SeriesPoint::sent)},
                 {"fulfilled", "first", rates_of(result, &SeriesPoint::fulfilled)}};
  if (limits.threshold_tps) {
    chart.levels.push_back({"threshold", "bad", *limits.threshold_tps, *limits.threshold_tps});
  }
  return chart;
}

void add_p99_bound(const GateLimits& limits, Chart& chart) {
  if (!limits.threshold_p99) return;
  const double ms = std::chrono::duration<double, std::milli>(*limits.threshold_p99).count();
  chart.levels.push_back({"p99 allowed", "bad", ms, ms});
}

Chart latency_chart(const RunResult& result, const GateLimits& limits) {
  Chart chart =
      over_time(result, {.id = "latency", .title = "Latency", .unit = "ms", .log_y = true});
  chart.lines = {{"p50", "first", times_of(result, &SeriesPoint::p50_ms)},
                 {"p99", "second", times_of(result, &SeriesPoint::p99_ms)},
                 {"max", "muted", times_of(result, &SeriesPoint::max_ms)}};
  add_p99_bound(limits, chart);
  return chart;
}

Chart heat_chart(const RunResult& result) {
  Chart chart = over_time(result, {.id = "heat",
                                   .title = "Where the latencies lie",
                                   .unit = "ms; the stronger, the more packets",
                                   .kind = Chart::Kind::heat,
                                   .log_y = true});
  for (const SeriesPoint* const point : whole_seconds(result)) {
    chart.cells.push_back(point->latency_up_to_ms);
  }
  return chart;
}

Chart percentile_chart(const RunResult& result, const GateLimits& limits) {
  Chart chart{.id = "percentiles",
              .title = "Latency by percentile",
              .unit = "ms, from the due time",
              .axis = Chart::Axis::percent,
              .log_y = true};
  chart.lines = {{"latency", "first", {}}};
  for (const auto& [percent, ms] : result.percentile_curve) {
    if (percent >= 100) continue;
    chart.at.push_back(percent);
    chart.lines[0].values.push_back(ms > 0 ? thousandths(ms) : no_value);
  }
  add_p99_bound(limits, chart);
  return chart;
}

Chart losses_chart(const RunResult& result) {
  Chart chart = over_time(result, {.id = "losses",
                                   .title = "Packets that were not fulfilled",
                                   .unit = "by kind",
                                   .kind = Chart::Kind::stacked});
  std::set<std::string> kinds;
  for (const SeriesPoint* const point : whole_seconds(result)) {
    for (const auto& [kind, count] : point->lost) kinds.insert(kind);
  }
  // The sheet has so many colours for kinds.
  constexpr std::size_t colours = 6;
  for (const std::string& kind : kinds) {
    Chart::Line line{kind, fmt::format("kind-{}", chart.lines.size() % colours), {}};
    for (const SeriesPoint* const point : whole_seconds(result)) {
      const auto found = point->lost.find(kind);
      line.values.push_back(found == point->lost.end() ? 0 : static_cast<double>(found->second));
    }
    chart.lines.push_back(std::move(line));
  }
  return chart;
}

Chart lateness_chart(const RunResult& result) {
  Chart chart = over_time(result, {.id = "lateness",
                                   .title = "The generator's own lateness",
                                   .unit = "ms, the latest packet of each second",
                                   .log_y = true});
  chart.lines = {{"latest", "second", times_of(result, &SeriesPoint::lateness_max_ms)}};
  return chart;
}

std::vector<Chart> charts_of(const RunResult& result, const GateLimits& limits) {
  std::vector<Chart> charts{rate_chart(result, limits), latency_chart(result, limits),
                            heat_chart(result), percentile_chart(result, limits)};
  Chart losses = losses_chart(result);
  if (!losses.lines.empty()) charts.push_back(std::move(losses));
  charts.push_back(lateness_chart(result));
  std::erase_if(charts, [](const Chart& chart) { return chart.at.empty(); });
  return charts;
}

std::vector<Page::Figure> figures_of(const RunResult& result, const Verdict& verdict) {
  std::vector<Page::Figure> figures;
  figures.push_back({"verified a second", rate_text(verdict.tps), "of " + load_text(result)});
  const char* const trust = verdict.latency_trusted ? "" : "not to be trusted";
  for (const auto& [name, ms] :
       {std::pair{"p50", result.latency.p50_ms}, std::pair{"p99", result.latency.p99_ms},
        std::pair{"max", result.latency.max_ms}}) {
    if (result.latency.count > 0 && !std::isnan(ms))
      figures.push_back({name, short_time(ms), trust});
  }
  const std::uint64_t lost = result.packets.planned - result.packets.fulfilled;
  const double share = static_cast<double>(lost) /
                       static_cast<double>(std::max<std::uint64_t>(1, result.packets.planned));
  figures.push_back({"not fulfilled", fmt::format("{}", lost),
                     lost == 0
                         ? "all came back"
                         : fmt::format("{:.3g} % of {}", 100 * share, result.packets.planned)});
  if (result.cost.cpu_us_per_packet) {
    figures.push_back(
        {"target's processor", fmt::format("{:.3g} µs", *result.cost.cpu_us_per_packet),
         fmt::format("a packet; {:.0f} % of one", result.cost.cpu_percent.value_or(0))});
  }
  return figures;
}

std::vector<std::pair<std::string, std::string>> facts_of(const RunResult& result,
                                                          const Verdict& verdict) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto row = [&facts](std::string name, std::string value) {
    facts.emplace_back(std::move(name), std::move(value));
  };
  const std::string losses = losses_text(result.packets);
  row("begun", format_utc(result.begun_at));
  row("load", fmt::format("{}, {} arrivals, {:.1f} s, {} connections", load_text(result),
                          result.arrivals, result.window_s, result.connections));
  row("packets", fmt::format("{} of {} fulfilled and verified{}{}", result.packets.fulfilled,
                             result.packets.planned, losses.empty() ? "" : "; ", losses));
  if (!result.first_refusal.empty()) row("first refusal", result.first_refusal);
  row(verdict.latency_trusted ? "latency" : "latency (not to be trusted)",
      latency_text(result.latency));
  if (result.first_byte.count > 0)
    row("first byte", latency_text(result.first_byte) + ", from the send");
  if (result.connect.count > 0) {
    row("connecting",
        fmt::format("{} times: {}{}", result.connect.count, latency_text(result.connect),
                    result.handshake.count > 0 ? "; then TLS: " + latency_text(result.handshake)
                                               : std::string()));
  }
  row("longest gap", fmt::format("{:.1f} ms without a fulfilment, {} reconnects",
                                 result.longest_gap_ms, result.reconnects));
  if (result.cost.cpu_percent) {
    row("target's cost",
        fmt::format("{:.0f} % of a processor, {:.2f} us a packet, {:.1f} MB ({})",
                    *result.cost.cpu_percent, result.cost.cpu_us_per_packet.value_or(0),
                    result.cost.memory_mb.value_or(0), result.cost.source));
  }
  row("generator", fmt::format("late by {}; {:.0f} % of a processor, {:.1f} MB, {}; steal {:.1f} %",
                               latency_text(result.audit.lateness),
                               result.audit.generator_cpu_percent, result.audit.generator_memory_mb,
                               result.audit.priority, result.audit.steal_percent));
  row("machine", fmt::format("{}: {} x {}, {}", result.context.host, result.context.cpus,
                             result.context.cpu_model, result.context.kernel));
  row("revision", fmt::format("{} on {}", result.commit_sha, result.branch));
  return facts;
}

}  // namespace

std::string html_report(const RunResult& result, const Verdict& verdict, const GateLimits& limits) {
  Page page{.command = "packet_bench run",
            .outcome = std::string(to_string(verdict.outcome)),
            .headline = fmt::format(
                "{} a second{}", rate_text(verdict.tps),
                limits.threshold_tps ? " of " + rate_text(*limits.threshold_tps) + " wanted" : ""),
            .subject = result.target,
            .reasons = verdict.reasons,
            .figures = figures_of(result, verdict),
            .charts = charts_of(result, limits),
            .facts = facts_of(result, verdict)};
  page.reasons.insert(page.reasons.end(), verdict.warnings.begin(), verdict.warnings.end());
  return to_html(page);
}

}  // namespace slipway::bench
