#include "packet_bench/target/prepare_template.hpp"

#include "packet_bench/common/schedule.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace slipway::bench {
namespace {

std::size_t find_in(const std::vector<std::uint8_t>& encoded, wire::Bytes marker) {
  const auto found = std::search(encoded.begin(), encoded.end(), marker.begin(), marker.end());
  if (found == encoded.end()) throw std::logic_error("the codec lost a field of the Prepare");
  return static_cast<std::size_t>(found - encoded.begin());
}

}  // namespace

Preimage preimage_of(std::uint64_t seed, std::uint64_t n) {
  Preimage preimage;
  const std::uint64_t key = mixed(seed) + 4 * n;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t word = mixed(key + i);
    std::memcpy(preimage.data() + 8 * i, &word, 8);
  }
  return preimage;
}

PrepareTemplate::PrepareTemplate(std::string_view destination, std::uint64_t amount,
                                 std::size_t data_bytes)
    : amount_(amount) {
  std::array<std::uint8_t, 32> condition;
  condition.fill(0xc5);
  std::vector<std::uint8_t> data(data_bytes);
  std::fill_n(data.begin(), 32, std::uint8_t{0xda});
  wire::encode(wire::Prepare{amount, expires_at_, condition, destination, data}, encoded_);
  condition_at_ = find_in(encoded_, condition);
  data_at_ = find_in(encoded_, wire::Bytes(data).first(32));
}

wire::Bytes PrepareTemplate::prepare(const Preimage& preimage, wire::Timestamp expires_at) {
  if (expires_at != expires_at_) {
    wire::rewrite_prepare(encoded_, amount_, expires_at);
    expires_at_ = expires_at;
  }
  const auto condition = sha256_.digest(preimage);
  std::memcpy(encoded_.data() + condition_at_, condition.data(), condition.size());
  std::memcpy(encoded_.data() + data_at_, preimage.data(), preimage.size());
  return encoded_;
}

}  // namespace slipway::bench
