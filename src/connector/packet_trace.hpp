#pragma once

#include "connector/link.hpp"
#include "connector/route_table.hpp"
#include "wire/ilp_packet.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace slipway::connector {

// One answered packet of the sampled share. No address and no amount: those are its users'
// business.
struct PacketTrace {
  std::array<std::uint8_t, 32> condition;
  AccountIndex from;
  std::optional<AccountIndex> to;  // nothing: it was refused before it was passed on
  std::size_t outcome;             // of `outcomes`
  std::chrono::steady_clock::time_point began;
  std::chrono::steady_clock::time_point ended;
};

// Draws a share of the packets. The lot is the packet's condition, a hash: all connectors that a
// packet passes draw it, where they draw the same share, and it is one trace at all of them. Who
// sends chooses the condition, so what is kept is bounded. Pure.
class PacketSample {
 public:
  // Until they are taken; what is drawn beyond is only counted.
  static constexpr std::size_t most = 4096;

  explicit PacketSample(double share)
      : below_(share <= 0   ? 0
               : share >= 1 ? UINT64_MAX
                            : static_cast<std::uint64_t>(share * 0x1p64)) {}

  bool draws(wire::Bytes condition) const {
    if (below_ == 0) return false;
    std::uint64_t lot = 0;
    for (std::size_t i = 0; i < sizeof lot; ++i) lot = lot << 8 | condition[i];
    return lot < below_ || below_ == UINT64_MAX;
  }
  void add(const PacketTrace& trace) {
    if (kept_.size() < most) {
      kept_.push_back(trace);
    } else {
      ++lost_;
    }
  }
  std::vector<PacketTrace> take() { return std::exchange(kept_, {}); }
  std::uint64_t lost() const { return lost_; }

 private:
  std::uint64_t below_;
  std::vector<PacketTrace> kept_;
  std::uint64_t lost_ = 0;
};

}  // namespace slipway::connector
