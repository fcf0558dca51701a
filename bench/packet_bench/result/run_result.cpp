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

std::map<std::string, std::uint64_t> losses_by_kind(const PacketCounts& packets) {
  std::map<std::string, std::uint64_t> kinds{{"unanswered", packets.unanswered},
                                             {"with a wrong preimage", packets.wrong},
                                             {"late", packets.late},
                                             {"failed", packets.failed},
                                             {"unsent", packets.unsent}};
  for (const auto& [code, count] : packets.rejected) kinds["rejected with " + code] += count;
  std::erase_if(kinds, [](const auto& kind) { return kind.second == 0; });
  return kinds;
}

std::string losses_text(const PacketCounts& packets) {
  std::string text;
  for (const auto& [kind, count] : losses_by_kind(packets)) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, kind);
  }
  return text;
}

}  // namespace slipway::bench
