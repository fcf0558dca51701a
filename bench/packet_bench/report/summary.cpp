#include "packet_bench/report/summary.hpp"

#include <fmt/core.h>

namespace slipway::bench {

std::string load_text(const RunResult& result) {
  if (result.closed_loop) return "as many packets as it took";
  return fmt::format("{:.0f} packets/s", result.rate);
}

std::string summary_text(const RunResult& result, const Verdict& verdict) {
  std::string text = fmt::format(
      "{}: {:.1f} verified fulfilments/s of {} for {:.1f} s "
      "against {}\n",
      to_string(verdict.outcome), verdict.tps, load_text(result), result.window_s, result.target);
  for (const std::string& reason : verdict.reasons)
    text += fmt::format("  because    {}\n", reason);
  const std::string losses = losses_text(result.packets);
  text += fmt::format("  packets    {} planned, {} fulfilled{}{}\n", result.packets.planned,
                      result.packets.fulfilled, losses.empty() ? "" : ", ", losses);
  if (result.reconnects > 0 || result.duplicates > 0 || result.unexpected > 0) {
    text += fmt::format("  links      {} reconnects, {} duplicate and {} unexpected answers\n",
                        result.reconnects, result.duplicates, result.unexpected);
  }
  const LatencySummary& latency = result.latency;
  text += fmt::format(
      "  latency    p50 {:.3f} ms, p90 {:.3f}, p99 {:.3f}, p99.9 {:.3f}, max {:.3f}{}\n",
      latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p999_ms, latency.max_ms,
      verdict.latency_trusted ? "" : " (not to be trusted)");
  text +=
      fmt::format("  gap        {:.1f} ms at most without a fulfilment\n", result.longest_gap_ms);
  if (result.cost.cpu_percent) {
    text += fmt::format("  target     {:.0f} % of a processor, {:.2f} us a packet, {:.1f} MB\n",
                        *result.cost.cpu_percent, result.cost.cpu_us_per_packet.value_or(0),
                        result.cost.memory_mb.value_or(0));
  }
  const Audit& audit = result.audit;
  text += fmt::format(
      "  generator  late by p50 {:.3f} ms, p99 {:.3f}, max {:.1f}; {:.0f} % of a "
      "processor, {:.1f} MB; steal {:.1f} %\n",
      audit.lateness.p50_ms, audit.lateness.p99_ms, audit.lateness.max_ms,
      audit.generator_cpu_percent, audit.generator_memory_mb, audit.steal_percent);
  return text;
}

}  // namespace slipway::bench
