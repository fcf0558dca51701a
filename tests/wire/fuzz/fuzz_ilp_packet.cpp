// What decodes must encode to something that decodes to the same fields, and can be rewritten.
#include "wire/ilp_packet.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace slipway::wire;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

bool same(const Prepare& a, const Prepare& b) {
  return a.amount == b.amount && a.expires_at == b.expires_at && same(a.condition, b.condition) &&
         a.destination == b.destination && same(a.data, b.data);
}
bool same(const Fulfill& a, const Fulfill& b) {
  return same(a.fulfillment, b.fulfillment) && same(a.data, b.data);
}
bool same(const Reject& a, const Reject& b) {
  return a.code == b.code && a.triggered_by == b.triggered_by && a.message == b.message &&
         same(a.data, b.data);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const auto decoded = decode_packet(input);
  if (!decoded) {
    require(!decoded.error().what.empty());
    return 0;
  }
  const Bytes trimmed = trim_packet(input);
  require(trimmed.size() <= input.size() && decode_packet(trimmed).has_value());
  std::visit(
      [&](const auto& packet) {
        std::vector<std::uint8_t> encoded;
        encode(packet, encoded);
        const auto again = decode_packet(encoded);
        require(again.has_value() &&
                same(packet, std::get<std::decay_t<decltype(packet)>>(*again)));
      },
      *decoded);
  if (std::holds_alternative<Prepare>(*decoded)) {
    std::vector<std::uint8_t> copy(trimmed.begin(), trimmed.end());
    rewrite_prepare(copy, 42, Timestamp{});
    const auto rewritten = decode_packet(copy);
    require(rewritten.has_value() && std::get<Prepare>(*rewritten).amount == 42);
  }
  return 0;
}
