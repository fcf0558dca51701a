#include "packet_bench/duet/duet_words.hpp"

#include "packet_bench/common/text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {

std::string_view name_of(Metric metric) {
  return metric_names[static_cast<std::size_t>(metric)];
}

std::string worth_text(const MetricFinding& finding) {
  return worth_text(finding.estimate, finding.interval.low, finding.interval.high);
}

std::string note_text(const MetricFinding& finding) {
  return fmt::format("allowed {}{}: {}{}", bound_percent(finding.allowed.worsening),
                     finding.allowed.deciding ? "" : " (alarm only)", to_string(finding.finding),
                     std::isfinite(finding.visible)
                         ? fmt::format("; would have seen {}", signed_percent(finding.visible, 1))
                         : std::string());
}

std::string length_text(const DuetResult& result) {
  return fmt::format("after {} pairs in {:.0f} s", result.verdict.pairs, result.elapsed_s);
}

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
      "steal {:.1f} % on the whole",
      result.verdict.left_out, result.pairs.size(), stolen, 100 * result.limits.most_steal,
      100 * result.limits.most_stall, 100 * result.limits.most_wait, 100 * steal / seconds);
}

const MetricFinding* cpu_finding(const DuetVerdict& verdict) {
  const auto found =
      std::find_if(verdict.findings.begin(), verdict.findings.end(),
                   [](const auto& finding) { return finding.metric == Metric::cpu; });
  return found == verdict.findings.end() ? nullptr : &*found;
}

}  // namespace slipway::bench
