#include "packet_bench/duet/duet_report.hpp"

#include "base/json.hpp"
#include "base/units.hpp"
#include "packet_bench/common/text.hpp"
#include "packet_bench/report/svg_plot.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(Metric metric) {
  return metric_names[static_cast<std::size_t>(metric)];
}

std::string interval_text(const Interval& interval) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return "too few pairs";
  return fmt::format("{} to {}", signed_percent(interval.low), signed_percent(interval.high));
}

// What is left when a pair is left out: why, and how many.
std::string disturbance_text(const DuetResult& result) {
  std::size_t stolen = 0;
  double steal = 0;
  for (const Pair& pair : result.pairs) {
    if (pair.steal_share > result.limits.most_steal) ++stolen;
    steal += pair.steal_share * pair.seconds;
  }
  const double seconds = std::max(result.verdict.seconds, 1e-9);
  return fmt::format(
      "{} of {} pairs left out ({} for steal above {:.0f} %, the others because the generator did "
      "not run for {:.0f} % of the slice or a connector waited for a processor for {:.0f} %); "
      "steal "
      "{:.1f} % on the whole",
      result.verdict.left_out, result.pairs.size(), stolen, 100 * result.limits.most_steal,
      100 * result.limits.most_stall, 100 * result.limits.most_wait, 100 * steal / seconds);
}

std::string headline(const DuetResult& result) {
  return fmt::format("{} after {} pairs in {:.0f} s", to_string(result.verdict.outcome),
                     result.verdict.pairs, result.elapsed_s);
}

std::string_view sign_of(DuetOutcome outcome) {
  if (outcome == DuetOutcome::regression) return "❌";
  return outcome == DuetOutcome::inconclusive ? "⚠️" : "✅";
}

// The worsening of the CPU cost pair by pair, in percent; at most `most` points, each the median of
// its neighbours.
std::vector<double> cpu_series(const DuetResult& result, std::size_t most) {
  std::vector<double> values;
  for (const Pair& pair : result.pairs) {
    if (is_disturbed(pair, result.limits)) continue;
    if (const auto value = worsening(pair, Metric::cpu)) {
      values.push_back(100 * std::expm1(*value));
    }
  }
  const std::size_t step = std::max<std::size_t>(1, (values.size() + most - 1) / most);
  std::vector<double> points;
  for (std::size_t i = 0; i < values.size(); i += step) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = static_cast<std::ptrdiff_t>(std::min(step, values.size() - i));
    points.push_back(median({begin, begin + count}));
  }
  return points;
}

const MetricFinding* cpu_finding(const DuetResult& result) {
  const auto& findings = result.verdict.findings;
  const auto found = std::find_if(findings.begin(), findings.end(), [](const auto& finding) {
    return finding.metric == Metric::cpu;
  });
  return found == findings.end() ? nullptr : &*found;
}

std::string mermaid_plot(const DuetResult& result) {
  const std::vector<double> points = cpu_series(result, 60);
  const MetricFinding* cpu = cpu_finding(result);
  if (points.size() < 2 || cpu == nullptr) return "";
  const double allowed = 100 * cpu->allowed.worsening;
  const auto [least, most] = std::minmax_element(points.begin(), points.end());
  const double low = std::floor(std::min({*least, 0.0, -allowed}) - 1);
  const double high = std::ceil(std::max({*most, allowed, 0.0}) + 1);
  std::string values;
  std::string border;
  for (const double point : points) {
    values += fmt::format("{}{:.2f}", values.empty() ? "" : ", ", point);
    border += fmt::format("{}{:.2f}", border.empty() ? "" : ", ", allowed);
  }
  return fmt::format(
      "```mermaid\nxychart-beta\n  title \"CPU a packet, candidate against base, pair by pair; the "
      "level line is what is allowed\"\n  x-axis \"pairs\" 1 --> {}\n  y-axis \"% worse\" {} --> "
      "{}\n  line [{}]\n  line [{}]\n```\n",
      result.verdict.pairs, low, high, values, border);
}

std::string page_row(const std::string& name, const std::string& value) {
  return fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", html_escaped(name), html_escaped(value));
}

// The pairs of one metric over time: both sides, in the metric's own unit.
std::string pairs_plot(const DuetResult& result, const char* title, const char* unit,
                       double PairSide::* member) {
  SvgPlot plot{.title = title, .y_unit = unit};
  plot.lines = {{"base", {}}, {"candidate", {}}};
  double at = 0;
  for (const Pair& pair : result.pairs) {
    at += pair.seconds;
    if (is_disturbed(pair, result.limits)) continue;
    for (const Side side : {base, candidate}) {
      plot.lines[side].points.emplace_back(at, pair.sides[side].*member);
    }
  }
  for (int i = 0; i <= 4; ++i) {
    plot.x_ticks.emplace_back(at * i / 4, fmt::format("{:.0f} s", at * i / 4));
  }
  return plot.lines[0].points.size() < 2 ? "" : to_svg(plot);
}

std::string ratio_plot(const DuetResult& result) {
  const MetricFinding* cpu = cpu_finding(result);
  if (cpu == nullptr) return "";
  SvgPlot plot{.title = "CPU a packet, candidate against base", .y_unit = "% worse"};
  plot.lines = {{"pairs", {}}, {"allowed", {}}, {"estimate", {}}};
  double at = 0;
  for (const Pair& pair : result.pairs) {
    at += pair.seconds;
    const auto value = worsening(pair, Metric::cpu);
    if (!value || is_disturbed(pair, result.limits)) continue;
    plot.lines[0].points.emplace_back(at, 100 * std::expm1(*value));
  }
  plot.lines[1].points = {{0, 100 * cpu->allowed.worsening}, {at, 100 * cpu->allowed.worsening}};
  plot.lines[2].points = {{0, 100 * cpu->estimate}, {at, 100 * cpu->estimate}};
  for (int i = 0; i <= 4; ++i) {
    plot.x_ticks.emplace_back(at * i / 4, fmt::format("{:.0f} s", at * i / 4));
  }
  return plot.lines[0].points.size() < 2 ? "" : to_svg(plot);
}

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json finding_json(const MetricFinding& finding) {
  return {{"metric", name_of(finding.metric)},
          {"finding", to_string(finding.finding)},
          {"worsening", number_or_null(finding.estimate)},
          {"low", number_or_null(finding.interval.low)},
          {"high", number_or_null(finding.interval.high)},
          {"allowed", finding.allowed.worsening},
          {"deciding", finding.allowed.deciding},
          {"pValue", number_or_null(finding.p_value)},
          {"smallestVisible", number_or_null(finding.visible)},
          {"values", finding.values}};
}

}  // namespace

std::string duet_summary(const DuetResult& result) {
  std::string text = headline(result) + "\n";
  for (const std::string& reason : result.verdict.reasons) text += "  because    " + reason + "\n";
  for (const MetricFinding& finding : result.verdict.findings) {
    text += fmt::format("  {:<10} {} ({}), allowed {}{}: {}; would have seen {}\n",
                        name_of(finding.metric), signed_percent(finding.estimate),
                        interval_text(finding.interval), signed_percent(finding.allowed.worsening),
                        finding.allowed.deciding ? "" : " (alarm only)", to_string(finding.finding),
                        signed_percent(finding.visible));
  }
  text += "  disturbed  " + disturbance_text(result) + "\n";
  for (const std::string& note : result.notes) text += "  note       " + note + "\n";
  return text;
}

std::string duet_markdown(const DuetResult& result) {
  std::string text = fmt::format("### {} packet_bench duet: {}\n\n",
                                 sign_of(result.verdict.outcome), headline(result));
  for (const std::string& reason : result.verdict.reasons) text += "- " + reason + "\n";
  if (!result.verdict.reasons.empty()) text += "\n";
  text +=
      "| metric | worsening | interval | allowed | finding | would have seen |\n"
      "|---|---|---|---|---|---|\n";
  for (const MetricFinding& finding : result.verdict.findings) {
    text += fmt::format("| {} | {} | {} | {}{} | {} | {} |\n", name_of(finding.metric),
                        signed_percent(finding.estimate), interval_text(finding.interval),
                        signed_percent(finding.allowed.worsening),
                        finding.allowed.deciding ? "" : " (alarm only)", to_string(finding.finding),
                        signed_percent(finding.visible));
  }
  text += "\n";
  for (const std::string& note : result.notes) text += "- note: " + note + "\n";
  text += fmt::format("\n{}\n{:.0f} packets/s to each, pairs of {:.2g} s, seed {}, {} × {}\n\n",
                      disturbance_text(result) + ".", result.rate, result.slice_s, result.seed,
                      result.context.cpus, result.context.cpu_model);
  return text + mermaid_plot(result);
}

std::string duet_html(const DuetResult& result) {
  std::string page = fmt::format(
      R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>packet_bench duet</title>
<style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:800px;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}}
h1{{font-size:1.4rem}}.pass,.improvement{{color:#176f2c}}.regression{{color:#b3261e}}.inconclusive{{color:#8a5a00}}
table{{border-collapse:collapse;width:100%}}td{{padding:.2rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}}
td:first-child{{white-space:nowrap;color:#555}}svg{{width:100%;height:auto;margin:1rem 0}}
svg text{{font:11px system-ui,sans-serif;fill:#555}}svg .title{{font-size:13px;fill:#222}}
.y,.legend{{text-anchor:end}}.x{{text-anchor:middle}}.grid{{stroke:#e3e3e3}}.line{{fill:none;stroke-width:1.6}}
.line-0{{stroke:#0b57d0}}.line-1{{stroke:#c2410c}}.line-2{{stroke:#5f6368}}
svg .legend{{stroke:none}}svg .legend.line-0{{fill:#0b57d0}}svg .legend.line-1{{fill:#c2410c}}svg .legend.line-2{{fill:#5f6368}}
</style>
<h1 class="{}">duet: {}</h1>
<table>
)",
      to_string(result.verdict.outcome), headline(result));
  for (const std::string& reason : result.verdict.reasons) page += page_row("because", reason);
  for (const MetricFinding& finding : result.verdict.findings) {
    page += page_row(std::string(name_of(finding.metric)),
                     fmt::format("{} ({}), allowed {}{}: {}; would have seen {}",
                                 signed_percent(finding.estimate), interval_text(finding.interval),
                                 signed_percent(finding.allowed.worsening),
                                 finding.allowed.deciding ? "" : " (alarm only)",
                                 to_string(finding.finding), signed_percent(finding.visible)));
  }
  page += page_row("base", result.targets[base]);
  page += page_row("candidate", result.targets[candidate]);
  page += page_row("disturbed", disturbance_text(result));
  for (const std::string& note : result.notes) page += page_row("note", note);
  page += page_row("machine", fmt::format("{} × {}, {}", result.context.cpus,
                                          result.context.cpu_model, result.context.kernel));
  page += "</table>\n" + ratio_plot(result);
  page += pairs_plot(result, "CPU a packet", "us", &PairSide::cpu_us_per_packet);
  page += pairs_plot(result, "p50 latency", "ms", &PairSide::p50_ms);
  page += pairs_plot(result, "p99 latency", "ms", &PairSide::p99_ms);
  return page + "</html>\n";
}

std::string duet_json(const DuetResult& result) {
  Json json;
  json["kind"] = "duet";
  json["schemaVersion"] = duet_schema_version;
  json["timestamp"] = format_utc(result.begun_at);
  json["verdict"] = to_string(result.verdict.outcome);
  json["reasons"] = result.verdict.reasons;
  json["commitSha"] = result.commit.empty() ? Json() : Json(result.commit);
  json["targets"] = {{"base", result.targets[base]}, {"candidate", result.targets[candidate]}};
  json["notes"] = result.notes;
  json["findings"] = Json::array();
  for (const MetricFinding& finding : result.verdict.findings) {
    json["findings"].push_back(finding_json(finding));
  }
  json["pairsUsed"] = result.verdict.pairs;
  json["pairsLeftOut"] = result.verdict.left_out;
  json["looks"] = result.verdict.looks;
  json["lastLevel"] = result.verdict.level;
  json["alpha"] = result.limits.alpha;
  json["rate"] = result.rate;
  json["sliceSeconds"] = result.slice_s;
  json["roundSeconds"] = result.round_s;
  json["maxDurationSeconds"] = result.max_duration_s;
  json["elapsedSeconds"] = result.elapsed_s;
  json["seed"] = result.seed;
  json["context"] = {{"host", result.context.host},          {"kernel", result.context.kernel},
                     {"cpuModel", result.context.cpu_model}, {"cpus", result.context.cpus},
                     {"version", result.context.version},    {"revision", result.context.revision}};
  json["pairs"] = Json::array();
  for (const Pair& pair : result.pairs) json["pairs"].push_back(to_json(pair));
  return to_text(json, 2) + "\n";
}

}  // namespace slipway::bench
