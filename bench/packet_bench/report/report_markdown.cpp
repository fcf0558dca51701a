#include "packet_bench/report/report.hpp"
#include "packet_bench/report/summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

// Values as blocks of eight heights, on a logarithmic scale: latencies differ by powers of ten.
std::string sparkline(const std::vector<double>& values) {
  static constexpr std::array blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr double smallest = 1e-3;
  double low = 1e300;
  double high = smallest;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    low = std::min(low, std::max(value, smallest));
    high = std::max(high, value);
  }
  const double span = std::log(high / low);
  std::string line;
  for (const double value : values) {
    if (std::isnan(value)) {
      line += ' ';
      continue;
    }
    const double height = span > 0.05 ? std::log(std::max(value, smallest) / low) / span : 0;
    line += blocks[std::min<std::size_t>(7, static_cast<std::size_t>(height * 8))];
  }
  return line;
}

std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string series_lines(const std::vector<SeriesPoint>& series) {
  // As many as fit in a line: each covers several seconds of a long run.
  constexpr std::size_t most = 80;
  const std::size_t step = (series.size() + most - 1) / most;
  std::vector<double> p50;
  std::vector<double> p99;
  for (std::size_t i = 0; i < series.size(); i += step) {
    double worst = nan("");
    for (std::size_t j = i; j < std::min(i + step, series.size()); ++j) {
      worst = std::fmax(worst, series[j].p99_ms);
    }
    p50.push_back(series[i].p50_ms);
    p99.push_back(worst);
  }
  const auto range = [](const std::vector<double>& values) -> std::string {
    double low = nan("");
    double high = nan("");
    for (const double value : values) {
      low = std::fmin(low, value);
      high = std::fmax(high, value);
    }
    if (std::isnan(low)) return "of too few";
    return fmt::format("{:.2f} to {:.2f} ms", low, high);
  };
  return fmt::format("```\np50 {}  {}\np99 {}  {}\n```\n", sparkline(p50), range(p50),
                     sparkline(p99), range(p99));
}

}  // namespace

std::string markdown_report(const RunResult& result, const Verdict& verdict,
                            const GateLimits& limits) {
  const bool passed = verdict.outcome == Outcome::passed;
  std::string text = fmt::format("### {} packet_bench: {}, {} tps", passed ? "✅" : "❌",
                                 to_string(verdict.outcome), rate_text(verdict.tps));
  if (limits.threshold_tps)
    text += fmt::format(" (threshold {})", rate_text(*limits.threshold_tps));
  text += "\n\n";
  for (const std::string& reason : verdict.reasons) text += fmt::format("- {}\n", cell(reason));
  for (const std::string& warning : verdict.warnings)
    text += fmt::format("- ⚠ {}\n", cell(warning));
  if (!verdict.reasons.empty() || !verdict.warnings.empty()) text += "\n";

  const std::string losses = losses_text(result.packets);
  text += "| | |\n|---|---|\n";
  text += fmt::format("| target | {} |\n", cell(result.target));
  text += fmt::format("| load | {}, {} arrivals, {:.1f} s |\n", load_text(result), result.arrivals,
                      result.window_s);
  text +=
      fmt::format("| packets | {} of {} fulfilled and verified{}{} |\n", result.packets.fulfilled,
                  result.packets.planned, losses.empty() ? "" : "; ", cell(losses));
  if (!result.first_refusal.empty()) {
    text += fmt::format("| first refusal | {} |\n", cell(result.first_refusal));
  }
  text += fmt::format("| latency{} | {} |\n", verdict.latency_trusted ? "" : " (not to be trusted)",
                      latency_text(result.latency));
  if (result.cost.cpu_percent) {
    text +=
        fmt::format("| target's cost | {:.0f} % of a processor, {:.2f} µs a packet, {:.1f} MB |\n",
                    *result.cost.cpu_percent, result.cost.cpu_us_per_packet.value_or(0),
                    result.cost.memory_mb.value_or(0));
  }
  text += fmt::format(
      "| generator | late by {}; {:.0f} % of a processor; "
      "steal {:.1f} % |\n",
      latency_text(result.audit.lateness), result.audit.generator_cpu_percent,
      result.audit.steal_percent);
  text += fmt::format("| machine | {} × {}, {} |\n", result.context.cpus,
                      cell(result.context.cpu_model), cell(result.context.kernel));
  text += fmt::format("| revision | {} on {} |\n\n", cell(result.commit_sha), cell(result.branch));
  if (!result.series.empty()) text += series_lines(result.series);
  return text;
}

}  // namespace slipway::bench
