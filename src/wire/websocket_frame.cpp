#include "wire/websocket_frame.hpp"

#include "wire/oer.hpp"

#include <cstring>

#include <boost/assert.hpp>

namespace slipway::wire {
namespace {

constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::size_t max_control = 125;

bool is_control(WebSocketOpcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 8;
}

bool is_known(std::uint8_t opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

}  // namespace

struct WebSocketDecoder::Header {
  bool final;
  WebSocketOpcode opcode;
  std::size_t payload_size;
  std::size_t header_size;
  std::uint32_t mask;
};

std::optional<WebSocketDecoder::Header> WebSocketDecoder::read_header(
    std::span<const std::uint8_t> input) {
  if (input.size() < 2) return std::nullopt;
  const std::uint8_t opcode = input[0] & 0x0f;
  const bool final = (input[0] & final_bit) != 0;
  const bool masked = (input[1] & mask_bit) != 0;
  if ((input[0] & reserved_bits) != 0) fail(CloseCode::protocol_error, "reserved bit set");
  if (!is_known(opcode)) fail(CloseCode::protocol_error, "unknown opcode");
  if (masked != (role_ == WebSocketRole::server)) {
    fail(CloseCode::protocol_error,
         masked ? "masked frame from a server" : "unmasked frame from a client");
  }
  if (failure_) return std::nullopt;
  std::uint64_t size = input[1] & 0x7f;
  std::size_t at = 2;
  if (size >= 126) {
    const std::size_t extended = size == 126 ? 2 : 8;
    if (input.size() < at + extended) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < extended; ++i) size = size << 8 | input[at++];
    if (size < (extended == 2 ? 126U : 65536U)) {
      fail(CloseCode::protocol_error, "length not in its shortest form");
      return std::nullopt;
    }
  }
  const auto kind = static_cast<WebSocketOpcode>(opcode);
  if (is_control(kind) && (size > max_control || !final)) {
    fail(CloseCode::protocol_error, "control frame fragmented or over 125 bytes");
    return std::nullopt;
  }
  if (size > max_message_ || fragments_.size() > max_message_ - size) {
    fail(CloseCode::too_big, "message over the size limit");
    return std::nullopt;
  }
  std::uint32_t mask = 0;
  if (masked) {
    if (input.size() < at + sizeof mask) return std::nullopt;
    std::memcpy(&mask, input.data() + at, sizeof mask);
    at += sizeof mask;
  }
  return Header{final, kind, size, at, mask};
}

std::optional<WebSocketMessage> WebSocketDecoder::take(const Header& header,
                                                       std::span<std::uint8_t> payload) {
  if (is_control(header.opcode)) return WebSocketMessage{header.opcode, payload};
  const bool continues = header.opcode == WebSocketOpcode::continuation;
  const bool fragmented = fragmented_ != WebSocketOpcode::continuation;
  if (continues != fragmented) {
    fail(CloseCode::protocol_error,
         continues ? "continuation of nothing" : "new message inside a fragmented one");
    return std::nullopt;
  }
  if (!fragmented && header.final) return WebSocketMessage{header.opcode, payload};
  if (!fragmented) {
    fragmented_ = header.opcode;
    fragments_.clear();
  }
  fragments_.insert(fragments_.end(), payload.begin(), payload.end());
  if (!header.final) return std::nullopt;
  return WebSocketMessage{std::exchange(fragmented_, WebSocketOpcode::continuation), fragments_};
}

std::optional<WebSocketMessage> WebSocketDecoder::next(std::span<std::uint8_t>& input) {
  if (fragmented_ == WebSocketOpcode::continuation) fragments_.clear();
  while (!failure_) {
    const auto header = read_header(input);
    if (!header || input.size() - header->header_size < header->payload_size) return std::nullopt;
    const auto payload = input.subspan(header->header_size, header->payload_size);
    if (header->mask != 0) apply_mask(payload, header->mask);
    input = input.subspan(header->header_size + header->payload_size);
    if (auto message = take(*header, payload)) return message;
  }
  return std::nullopt;
}

void encode_frame_header(WebSocketRole role, WebSocketOpcode opcode, std::size_t size,
                         std::uint32_t mask, std::vector<std::uint8_t>& out) {
  const bool client = role == WebSocketRole::client;
  const std::size_t extended = size < 126 ? 0 : size < 65536 ? 2 : 8;
  std::uint8_t* at = oer::extend(out, 2 + extended + (client ? sizeof mask : 0));
  at = oer::put_u8(at, static_cast<std::uint8_t>(final_bit | static_cast<std::uint8_t>(opcode)));
  const std::uint8_t short_form = static_cast<std::uint8_t>(extended == 0   ? size
                                                            : extended == 2 ? std::size_t{126}
                                                                            : std::size_t{127});
  at = oer::put_u8(at, static_cast<std::uint8_t>((client ? mask_bit : 0) | short_form));
  for (std::size_t i = extended; i > 0; --i) {
    at = oer::put_u8(at, static_cast<std::uint8_t>(size >> (8 * (i - 1))));
  }
  if (client) std::memcpy(at, &mask, sizeof mask);
}

void apply_mask(std::span<std::uint8_t> payload, std::uint32_t mask) {
  const std::uint64_t wide = static_cast<std::uint64_t>(mask) << 32 | mask;
  std::uint8_t* at = payload.data();
  std::size_t left = payload.size();
  for (; left >= sizeof wide; at += sizeof wide, left -= sizeof wide) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    word ^= wide;
    std::memcpy(at, &word, sizeof word);
  }
  std::uint8_t key[sizeof wide];
  std::memcpy(key, &wide, sizeof wide);
  for (std::size_t i = 0; i < left; ++i) at[i] ^= key[i];
}

void encode_frame(WebSocketRole role, WebSocketOpcode opcode, Bytes payload, std::uint32_t mask,
                  std::vector<std::uint8_t>& out) {
  encode_frame_header(role, opcode, payload.size(), mask, out);
  const std::size_t begin = out.size();
  oer::put_bytes(oer::extend(out, payload.size()), payload);
  if (role == WebSocketRole::client) apply_mask(std::span(out).subspan(begin), mask);
}

void encode_close(WebSocketRole role, CloseCode code, std::string_view reason, std::uint32_t mask,
                  std::vector<std::uint8_t>& out) {
  std::array<std::uint8_t, max_control> payload;
  reason = reason.substr(0, max_control - 2);
  payload[0] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(code) >> 8);
  payload[1] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(code));
  oer::put_bytes(payload.data() + 2, oer::as_bytes(reason));
  encode_frame(role, WebSocketOpcode::close, Bytes(payload).first(2 + reason.size()), mask, out);
}

}  // namespace slipway::wire
