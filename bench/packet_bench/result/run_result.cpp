#include "packet_bench/result/run_result.hpp"

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
