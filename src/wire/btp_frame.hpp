#pragma once

#include "base/error.hpp"
#include "wire/ilp_packet.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

// BTP 2.0 frames (Interledger RFC 0023) as they travel in binary WebSocket messages. Pure.
namespace slipway::wire {

enum class BtpType : std::uint8_t { response = 1, error = 2, message = 6, transfer = 7 };

enum class ContentType : std::uint8_t { octets = 0, text = 1, json = 2 };

struct SubProtocol {
  std::string_view name;
  ContentType content_type;
  Bytes data;
};

// A decoded frame: views into the bytes it was decoded from. Only the first max_sub_protocols are
// kept; real peers send one to three.
struct BtpFrame {
  static constexpr std::size_t max_sub_protocols = 8;

  BtpType type;
  std::uint32_t request_id;
  std::uint64_t transfer_amount = 0;  // transfer only
  std::string_view error_code;        // error only: 3 characters, with name and data
  std::string_view error_name;
  std::string_view error_triggered_at;
  Bytes error_data;
  std::array<SubProtocol, max_sub_protocols> sub_protocol_storage;
  std::size_t sub_protocol_count = 0;

  std::span<const SubProtocol> sub_protocols() const {
    return {sub_protocol_storage.data(), sub_protocol_count};
  }
  // The first sub-protocol of that name, or null.
  const SubProtocol* find(std::string_view name) const;
};

// An error (`protocol`) names the field that was wrong.
Result<BtpFrame> decode_btp_frame(Bytes bytes);

// Each appends the encoded frame to `out`.
void encode_btp(BtpType response_or_message, std::uint32_t request_id,
                std::span<const SubProtocol> sub_protocols, std::vector<std::uint8_t>& out);
void encode_btp_error(std::uint32_t request_id, std::string_view code, std::string_view name,
                      Timestamp triggered_at, Bytes data, std::vector<std::uint8_t>& out);

// The hot path: a response or message whose only sub-protocol is `ilp` with `packet` as its data.
void encode_btp_ilp(BtpType response_or_message, std::uint32_t request_id, Bytes packet,
                    std::vector<std::uint8_t>& out);
// The bytes that encode_btp_ilp appends for a packet of that size.
std::size_t btp_ilp_size(std::size_t packet_size);

}  // namespace slipway::wire
