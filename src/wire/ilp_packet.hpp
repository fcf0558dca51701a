#pragma once

#include "base/error.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

// ILPv4 packets (Interledger RFC 0027) in the OER envelope of RFC 0030. Pure: no I/O, no clock, no
// allocation in decoding. Decoded packets are views into the bytes they were decoded from.
namespace slipway::wire {

using Bytes = std::span<const std::uint8_t>;
using Bytes32 = std::span<const std::uint8_t, 32>;
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

struct Prepare {
  std::uint64_t amount;
  Timestamp expires_at;
  Bytes32 condition;             // SHA-256 of the fulfilment
  std::string_view destination;  // 1 to 1023 bytes, a valid ILP address
  Bytes data;                    // at most 32767 bytes
};

struct Fulfill {
  Bytes32 fulfillment;
  Bytes data;
};

struct Reject {
  std::string_view code;          // 3 ASCII characters, e.g. "F02"
  std::string_view triggered_by;  // an ILP address, or empty
  std::string_view message;       // at most 8191 bytes of UTF-8, which decoding does not check
  Bytes data;
};

inline constexpr std::size_t max_address = 1023;
inline constexpr std::size_t max_data = 32767;
inline constexpr std::size_t max_reject_message = 8191;

using Packet = std::variant<Prepare, Fulfill, Reject>;

// Decodes one complete packet; bytes after it are ignored (RFC 0027). An error (`protocol`) names
// the field that was wrong.
Result<Packet> decode_packet(Bytes bytes);

// The packet that decode_packet accepted, without what may follow it: for passing it on.
Bytes trim_packet(Bytes bytes);

// Each appends the encoded packet to `out`.
void encode(const Prepare& packet, std::vector<std::uint8_t>& out);
void encode(const Fulfill& packet, std::vector<std::uint8_t>& out);
void encode(const Reject& packet, std::vector<std::uint8_t>& out);

// Rewrites the two fields that a connector may change, in place, in an encoded Prepare that
// decode_packet accepted: both are of fixed width.
void rewrite_prepare(std::span<std::uint8_t> encoded, std::uint64_t amount, Timestamp expires_at);

// RFC 0015: scheme, then one or more segments; case-sensitive; at most 1023 characters.
bool is_valid_address(std::string_view address);
// What addresses can begin with: nothing, a scheme, or an address, each without a dot at its end.
bool is_valid_prefix(std::string_view prefix);

}  // namespace slipway::wire
