#pragma once

#include "base/sha256.hpp"
#include "packet_bench/common/clock.hpp"
#include "wire/ilp_packet.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace slipway::bench {

using Preimage = std::array<std::uint8_t, 32>;

// The preimage of packet n: never the same twice in a run, nor in runs of different seeds, so that
// no connector can merge packets; recomputed when the answer comes instead of being stored.
Preimage preimage_of(std::uint64_t seed, std::uint64_t n);

// An encoded Prepare of which only what differs from packet to packet is written: encoding is a
// few copies. The fields' places are found in what the codec encoded, not assumed.
class PrepareTemplate {
 public:
  // `data_bytes` at least 32: the preimage comes first, the rest is zero.
  PrepareTemplate(std::string_view destination, std::uint64_t amount, std::size_t data_bytes);

  // Valid until the next call.
  wire::Bytes prepare(const Preimage& preimage, wire::Timestamp expires_at);

 private:
  std::uint64_t amount_;
  std::vector<std::uint8_t> encoded_;
  std::size_t condition_at_;
  std::size_t data_at_;
  wire::Timestamp expires_at_{};
  Sha256 sha256_;
};

}  // namespace slipway::bench
