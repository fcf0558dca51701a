#include "packet_bench/report/summary.hpp"

#include <fmt/core.h>

namespace slipway::bench {

std::string load_text(const RunResult& result) {
  if (result.closed_loop) return "as many packets as it took";
  return rate_text(result.rate) + " packets/s";
}

std::string summary_text(const RunResult& result, const Verdict& verdict) {
  std::string text = fmt::format(
      "{}: {} verified fulfilments/s of {} for {:.1f} s "
      "against {}\n",
      to_string(verdict.outcome), rate_text(verdict.tps), load_text(result), result.window_s,
      result.target);
  for (const std::string& reason : verdict.reasons)
    text += fmt::format("  because    {}\n", reason);
  const std::string losses = losses_text(result.packets);
  text += fmt::format("  packets    {} planned, {} fulfilled{}{}\n", result.packets.planned,
                      result.packets.fulfilled, losses.empty() ? "" : ", ", losses);
  if (!result.first_refusal.empty()) {
    text += fmt::format("  refused    first with {}\n", result.first_refusal);
  }
  if (result.reconnects > 0 || result.duplicates > 0 || result.unexpected > 0) {
    text += fmt::format("  links      {} reconnects, {} duplicate and {} unexpected answers{}{}\n",
                        result.reconnects, result.duplicates, result.unexpected,
                        result.disconnects.empty() ? "" : "; first lost: ",
                        result.disconnects.empty() ? "" : result.disconnects.front());
  }
  text += fmt::format("  latency    {}{}\n", latency_text(result.latency),
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
      "  generator  late by {}; {:.0f} % of a "
      "processor, {:.1f} MB; steal {:.1f} %\n",
      latency_text(audit.lateness), audit.generator_cpu_percent, audit.generator_memory_mb,
      audit.steal_percent);
  return text;
}

}  // namespace slipway::bench
