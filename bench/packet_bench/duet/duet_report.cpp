#include "packet_bench/duet/duet_report.hpp"

#include "base/json.hpp"
#include "base/units.hpp"
#include "packet_bench/common/text.hpp"
#include "packet_bench/duet/duet_words.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using Json = nlohmann::ordered_json;

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

std::string mermaid_plot(const DuetResult& result) {
  const std::vector<double> points = cpu_series(result, 60);
  const MetricFinding* cpu = cpu_finding(result.verdict);
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
  std::string text = fmt::format("{} {}\n", to_string(result.verdict.outcome), length_text(result));
  for (const std::string& reason : result.verdict.reasons) text += "  because    " + reason + "\n";
  for (const MetricFinding& finding : result.verdict.findings) {
    text += fmt::format("  {:<10} {}, {}\n", name_of(finding.metric), worth_text(finding),
                        note_text(finding));
  }
  text += "  disturbed  " + disturbance_text(result) + "\n";
  for (const std::string& note : result.notes) text += "  note       " + note + "\n";
  return text;
}

std::string duet_markdown(const DuetResult& result) {
  std::string text =
      fmt::format("### {} packet_bench duet: {} {}\n\n", sign_of(result.verdict.outcome),
                  to_string(result.verdict.outcome), length_text(result));
  for (const std::string& reason : result.verdict.reasons) text += "- " + reason + "\n";
  if (!result.verdict.reasons.empty()) text += "\n";
  text +=
      "| metric | worsening | allowed | finding | would have seen |\n"
      "|---|---|---|---|---|\n";
  for (const MetricFinding& finding : result.verdict.findings) {
    text += fmt::format("| {} | {} | {}{} | {} | {} |\n", name_of(finding.metric),
                        worth_text(finding), bound_percent(finding.allowed.worsening),
                        finding.allowed.deciding ? "" : " (alarm only)", to_string(finding.finding),
                        signed_percent(finding.visible, 1));
  }
  text += "\n";
  for (const std::string& note : result.notes) text += "- note: " + note + "\n";
  text += fmt::format("\n{}\n{:.0f} packets/s to each, pairs of {:.2g} s, seed {}, {} × {}\n\n",
                      disturbance_text(result) + ".", result.rate, result.slice_s, result.seed,
                      result.context.cpus, result.context.cpu_model);
  return text + mermaid_plot(result);
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
