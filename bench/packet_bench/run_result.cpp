#include "packet_bench/run_result.hpp"

namespace slipway::bench {

std::uint64_t PacketCounts::rejected_total() const {
  std::uint64_t total = 0;
  for (const auto& [code, count] : rejected) total += count;
  return total;
}

}  // namespace slipway::bench
