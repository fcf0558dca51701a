#include "packet_bench/result/run_result.hpp"

#include <cmath>
#include <utility>

#include <fmt/core.h>

namespace slipway::bench {

std::uint64_t PacketCounts::rejected_total() const {
  std::uint64_t total = 0;
  for (const auto& [code, count] : rejected) total += count;
  return total;
}

void PacketCounts::add(const PacketCounts& other) {
  planned += other.planned;
  sent += other.sent;
  unsent += other.unsent;
  fulfilled += other.fulfilled;
  wrong += other.wrong;
  late += other.late;
  unanswered += other.unanswered;
  failed += other.failed;
  for (const auto& [code, count] : other.rejected) rejected[code] += count;
}

std::string rate_text(double rate) {
  if (rate < 100) return fmt::format("{:.3g}", rate);
  const std::string text = fmt::format("{:.1f}", rate);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

std::string latency_text(const LatencySummary& latency) {
  if (latency.count == 0) return "of none";
  std::string text;
  for (const auto& [name, value] :
       {std::pair{"p50", latency.p50_ms}, std::pair{"p90", latency.p90_ms},
        std::pair{"p99", latency.p99_ms}, std::pair{"p99.9", latency.p999_ms},
        std::pair{"max", latency.max_ms}}) {
    if (std::isnan(value)) continue;
    text += fmt::format("{}{} {:.3f}{}", text.empty() ? "" : ", ", name, value,
                        text.empty() ? " ms" : "");
  }
  return text;
}

std::string losses_text(const PacketCounts& packets) {
  std::string text;
  const auto append = [&text](std::uint64_t count, const std::string& name) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  };
  append(packets.unanswered, "unanswered");
  append(packets.wrong, "with a wrong preimage");
  append(packets.late, "late");
  append(packets.failed, "failed");
  append(packets.unsent, "unsent");
  for (const auto& [code, count] : packets.rejected) append(count, "rejected with " + code);
  return text;
}

}  // namespace slipway::bench
