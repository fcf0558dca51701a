#include "base/units.hpp"
#include "packet_bench/report/report.hpp"
#include "packet_bench/report/summary.hpp"
#include "packet_bench/report/svg_plot.hpp"

#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr std::string_view head = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>packet_bench</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:800px;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.4rem}.passed{color:#176f2c}.failed,.broken{color:#b3261e}.invalid,.interrupted{color:#8a5a00}
table{border-collapse:collapse;width:100%}td{padding:.2rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
td:first-child{white-space:nowrap;color:#555}svg{width:100%;height:auto;margin:1rem 0}
svg text{font:11px system-ui,sans-serif;fill:#555}svg .title{font-size:13px;fill:#222}
.y,.legend{text-anchor:end}.x{text-anchor:middle}.grid{stroke:#e3e3e3}.line{fill:none;stroke-width:1.6}
.line-0{stroke:#0b57d0}.line-1{stroke:#c2410c}.line-2{stroke:#5f6368}
svg .legend{stroke:none}svg .legend.line-0{fill:#0b57d0}svg .legend.line-1{fill:#c2410c}svg .legend.line-2{fill:#5f6368}
</style>
)";

std::string row(const std::string& name, const std::string& value) {
  return fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", html_escaped(name), html_escaped(value));
}

// Percentiles on HdrHistogram's axis: each "nine" takes the same room.
std::string percentile_plot(const RunResult& result) {
  const auto nines = [](double percent) { return -std::log10(1 - percent / 100); };
  SvgPlot plot{.title = "Latency from the due time by percentile", .y_unit = "ms", .log_y = true};
  SvgPlot::Line line{"latency", {}};
  for (const auto& [percent, ms] : result.percentile_curve) {
    if (percent >= 100) continue;
    line.points.emplace_back(nines(percent), ms);
  }
  plot.lines.push_back(line);
  for (const auto& [percent, label] :
       {std::pair{0.0, "0"}, std::pair{50.0, "50 %"}, std::pair{90.0, "90 %"},
        std::pair{99.0, "99 %"}, std::pair{99.9, "99.9 %"}, std::pair{99.99, "99.99 %"}}) {
    plot.x_ticks.emplace_back(nines(percent), label);
  }
  return to_svg(plot);
}

std::string time_plots(const RunResult& result) {
  SvgPlot latency{.title = "Latency over time", .y_unit = "ms", .log_y = true};
  SvgPlot rate{.title = "Packets a second over time", .y_unit = ""};
  SvgPlot lateness{
      .title = "The generator's own lateness over time", .y_unit = "ms", .log_y = true};
  latency.lines = {{"p50", {}}, {"p99", {}}, {"max", {}}};
  rate.lines = {{"sent", {}}, {"fulfilled", {}}, {"lost", {}}};
  lateness.lines = {{"max", {}}};
  for (const SeriesPoint& point : result.series) {
    // The last, partial second would look like a drop.
    if (point.begin_s + point.seconds > result.window_s + 0.01) continue;
    const double at = point.begin_s;
    latency.lines[0].points.emplace_back(at, point.p50_ms);
    latency.lines[1].points.emplace_back(at, point.p99_ms);
    latency.lines[2].points.emplace_back(at, point.max_ms);
    rate.lines[0].points.emplace_back(at, static_cast<double>(point.sent) / point.seconds);
    rate.lines[1].points.emplace_back(at, static_cast<double>(point.fulfilled) / point.seconds);
    rate.lines[2].points.emplace_back(at, static_cast<double>(point.not_fulfilled) / point.seconds);
    lateness.lines[0].points.emplace_back(at, point.lateness_max_ms);
  }
  for (int i = 0; i <= 5; ++i) {
    const double at = std::round(result.window_s * i / 5 * 10) / 10;
    for (SvgPlot* plot : {&latency, &rate, &lateness}) {
      plot->x_ticks.emplace_back(std::min(at, std::max(0.0, result.window_s - 1)),
                                 fmt::format("{:g} s", at));
    }
  }
  return to_svg(latency) + to_svg(rate) + to_svg(lateness);
}

}  // namespace

std::string html_report(const RunResult& result, const Verdict& verdict, const GateLimits& limits) {
  std::string page(head);
  page += fmt::format("<h1>packet_bench: <span class=\"{0}\">{0}</span>, {1} tps{2}</h1>\n",
                      to_string(verdict.outcome), rate_text(verdict.tps),
                      limits.threshold_tps ? " of " + rate_text(*limits.threshold_tps) : "");
  page += "<ul>\n";
  for (const auto* list : {&verdict.reasons, &verdict.warnings}) {
    for (const std::string& text : *list) page += fmt::format("<li>{}</li>\n", html_escaped(text));
  }
  page += "</ul>\n<table>\n";
  const std::string losses = losses_text(result.packets);
  page += row("begun", format_utc(result.begun_at));
  page += row("target", result.target);
  page += row("load", fmt::format("{}, {} arrivals, {:.1f} s, {} connections", load_text(result),
                                  result.arrivals, result.window_s, result.connections));
  page +=
      row("packets", fmt::format("{} of {} fulfilled and verified{}{}", result.packets.fulfilled,
                                 result.packets.planned, losses.empty() ? "" : "; ", losses));
  if (!result.first_refusal.empty()) page += row("first refusal", result.first_refusal);
  page += row(verdict.latency_trusted ? "latency" : "latency (not to be trusted)",
              latency_text(result.latency));
  page += row("longest gap", fmt::format("{:.1f} ms without a fulfilment, {} reconnects",
                                         result.longest_gap_ms, result.reconnects));
  if (result.cost.cpu_percent) {
    page += row("target's cost",
                fmt::format("{:.0f} % of a processor, {:.2f} us a packet, {:.1f} MB ({})",
                            *result.cost.cpu_percent, result.cost.cpu_us_per_packet.value_or(0),
                            result.cost.memory_mb.value_or(0), result.cost.source));
  }
  page += row("generator",
              fmt::format("late by {}; {:.0f} % of a processor, "
                          "{:.1f} MB, {}; steal {:.1f} %",
                          latency_text(result.audit.lateness), result.audit.generator_cpu_percent,
                          result.audit.generator_memory_mb, result.audit.priority,
                          result.audit.steal_percent));
  page += row("machine", fmt::format("{}: {} x {}, {}", result.context.host, result.context.cpus,
                                     result.context.cpu_model, result.context.kernel));
  page += row("revision", fmt::format("{} on {}", result.commit_sha, result.branch));
  page += "</table>\n" + percentile_plot(result) + time_plots(result) + "</html>\n";
  return page;
}

}  // namespace slipway::bench
