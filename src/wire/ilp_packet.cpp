#include "wire/ilp_packet.hpp"

#include "wire/oer.hpp"
#include "wire/timestamp.hpp"

#include <algorithm>
#include <array>

#include <boost/assert.hpp>
#include <fmt/core.h>

namespace slipway::wire {
namespace {

constexpr std::uint8_t prepare_type = 12;
constexpr std::uint8_t fulfill_type = 13;
constexpr std::uint8_t reject_type = 14;
constexpr std::size_t max_envelope = std::size_t{64} * 1024;
constexpr std::size_t prepare_fixed = 8 + timestamp_size + 32;

constexpr std::array<bool, 256> make_segment_characters() {
  std::array<bool, 256> allowed{};
  for (int c = 'a'; c <= 'z'; ++c) allowed[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) allowed[static_cast<std::size_t>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) allowed[static_cast<std::size_t>(c)] = true;
  for (const char c : {'_', '~', '-'}) allowed[static_cast<unsigned char>(c)] = true;
  return allowed;
}
constexpr std::array<bool, 256> segment_characters = make_segment_characters();

bool is_scheme(std::string_view text) {
  constexpr std::array<std::string_view, 10> schemes{
      "g", "private", "example", "peer", "self", "test", "test1", "test2", "test3", "local"};
  return std::find(schemes.begin(), schemes.end(), text) != schemes.end();
}

bool is_code(std::string_view code) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return (code[0] == 'F' || code[0] == 'T' || code[0] == 'R') && is_digit(code[1]) &&
         is_digit(code[2]);
}

Prepare read_prepare(oer::Reader& in) {
  const std::uint64_t amount = in.read_u64("prepare amount");
  const Bytes expiry = in.read_fixed("prepare expiresAt", timestamp_size);
  const auto expires_at = parse_timestamp(expiry);
  if (!in.failed() && !expires_at) in.fail("prepare expiresAt", "not a date and time");
  static constexpr std::array<std::uint8_t, 32> no_condition{};
  const Bytes condition = in.read_fixed("prepare executionCondition", 32);
  const std::string_view destination = in.read_text("prepare destination", max_address);
  if (!in.failed() && !is_valid_address(destination)) {
    in.fail("prepare destination", "not an ILP address");
  }
  const Bytes data = in.read_var("prepare data", max_data);
  return {amount, expires_at.value_or(Timestamp{}),
          condition.size() == 32 ? condition.first<32>() : Bytes32(no_condition), destination,
          data};
}

Fulfill read_fulfill(oer::Reader& in) {
  static constexpr std::array<std::uint8_t, 32> no_fulfillment{};
  const Bytes fulfillment = in.read_fixed("fulfill fulfillment", 32);
  const Bytes data = in.read_var("fulfill data", max_data);
  return {fulfillment.size() == 32 ? fulfillment.first<32>() : Bytes32(no_fulfillment), data};
}

Reject read_reject(oer::Reader& in) {
  const Bytes code = in.read_fixed("reject code", 3);
  const std::string_view code_text{reinterpret_cast<const char*>(code.data()), code.size()};
  if (!in.failed() && !is_code(code_text)) in.fail("reject code", "not F, T or R and two digits");
  const std::string_view triggered_by = in.read_text("reject triggeredBy", max_address);
  if (!in.failed() && !triggered_by.empty() && !is_valid_address(triggered_by)) {
    in.fail("reject triggeredBy", "not an ILP address");
  }
  const std::string_view message = in.read_text("reject message", max_reject_message);
  const Bytes data = in.read_var("reject data", max_data);
  return {code_text, triggered_by, message, data};
}

Result<Packet> checked(const oer::Reader& in, Packet packet) {
  if (in.failed()) return Error{ErrorKind::protocol, in.failure(), {}};
  return packet;
}

std::uint8_t* begin_envelope(std::uint8_t type, std::size_t contents,
                             std::vector<std::uint8_t>& out) {
  std::uint8_t* at = oer::extend(out, 1 + oer::var_size(contents));
  return oer::put_length(oer::put_u8(at, type), contents);
}

}  // namespace

bool is_valid_address(std::string_view address) {
  if (address.size() > max_address) return false;
  const std::size_t first_dot = address.find('.');
  if (first_dot == std::string_view::npos || !is_scheme(address.substr(0, first_dot))) return false;
  bool segment_empty = true;
  for (const char c : address.substr(first_dot + 1)) {
    if (c == '.') {
      if (segment_empty) return false;
      segment_empty = true;
    } else {
      if (!segment_characters[static_cast<unsigned char>(c)]) return false;
      segment_empty = false;
    }
  }
  return !segment_empty;
}

bool is_valid_prefix(std::string_view prefix) {
  return prefix.empty() || is_scheme(prefix) || is_valid_address(prefix);
}

Result<Packet> decode_packet(Bytes bytes) {
  oer::Reader envelope(bytes);
  const std::uint8_t type = envelope.read_u8("packet type");
  if (!envelope.failed() && (type < prepare_type || type > reject_type)) {
    return Error{ErrorKind::protocol, fmt::format("packet type: {} is not 12, 13 or 14", type), {}};
  }
  oer::Reader contents(envelope.read_var("packet contents", max_envelope));
  if (envelope.failed()) return Error{ErrorKind::protocol, envelope.failure(), {}};
  switch (type) {
    case prepare_type: {
      const Prepare packet = read_prepare(contents);
      return checked(contents, packet);
    }
    case fulfill_type: {
      const Fulfill packet = read_fulfill(contents);
      return checked(contents, packet);
    }
    default: {
      const Reject packet = read_reject(contents);
      return checked(contents, packet);
    }
  }
}

Bytes trim_packet(Bytes bytes) {
  oer::Reader envelope(bytes);
  envelope.read_u8("packet type");
  envelope.read_var("packet contents", max_envelope);
  return bytes.first(bytes.size() - envelope.rest().size());
}

void encode(const Prepare& packet, std::vector<std::uint8_t>& out) {
  BOOST_ASSERT(packet.data.size() <= max_data && packet.destination.size() <= max_address);
  const std::size_t contents =
      prepare_fixed + oer::var_size(packet.destination.size()) + oer::var_size(packet.data.size());
  std::uint8_t* at = begin_envelope(prepare_type, contents, out);
  at = oer::put_u64(at, packet.amount);
  format_timestamp(packet.expires_at, at);
  at = oer::put_bytes(at + timestamp_size, packet.condition);
  at = oer::put_var(at, oer::as_bytes(packet.destination));
  oer::put_var(at, packet.data);
}

void encode(const Fulfill& packet, std::vector<std::uint8_t>& out) {
  BOOST_ASSERT(packet.data.size() <= max_data);
  std::uint8_t* at = begin_envelope(fulfill_type, 32 + oer::var_size(packet.data.size()), out);
  oer::put_var(oer::put_bytes(at, packet.fulfillment), packet.data);
}

void encode(const Reject& packet, std::vector<std::uint8_t>& out) {
  BOOST_ASSERT(packet.code.size() == 3 && packet.triggered_by.size() <= max_address);
  BOOST_ASSERT(packet.message.size() <= max_reject_message && packet.data.size() <= max_data);
  const std::size_t contents = 3 + oer::var_size(packet.triggered_by.size()) +
                               oer::var_size(packet.message.size()) +
                               oer::var_size(packet.data.size());
  std::uint8_t* at = begin_envelope(reject_type, contents, out);
  at = oer::put_bytes(at, oer::as_bytes(packet.code));
  at = oer::put_var(at, oer::as_bytes(packet.triggered_by));
  at = oer::put_var(at, oer::as_bytes(packet.message));
  oer::put_var(at, packet.data);
}

void rewrite_prepare(std::span<std::uint8_t> encoded, std::uint64_t amount, Timestamp expires_at) {
  const std::size_t header = encoded[1] < 0x80 ? 2 : 2 + (encoded[1] & 0x7fU);
  BOOST_ASSERT(encoded[0] == prepare_type && encoded.size() >= header + prepare_fixed);
  format_timestamp(expires_at, oer::put_u64(encoded.data() + header, amount));
}

}  // namespace slipway::wire
