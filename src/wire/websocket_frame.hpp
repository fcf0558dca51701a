#pragma once

#include "base/error.hpp"
#include "wire/ilp_packet.hpp"

#include <optional>

// WebSocket framing (RFC 6455) after the opening handshake: many frames parsed out of one read and
// many written by one write, which a message-at-a-time library cannot do. Pure.
namespace slipway::wire {

enum class WebSocketRole { client, server };

enum class WebSocketOpcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  policy = 1008,
  too_big = 1009,
};

struct WebSocketMessage {
  WebSocketOpcode opcode;  // never continuation
  Bytes payload;           // valid until the next call
};

// Why a stream cannot go on; the connection is to be closed with `code`.
struct WebSocketFailure {
  CloseCode code;
  const char* reason;
};

class WebSocketDecoder {
 public:
  // `role` is ours: a server insists on masked frames, a client on unmasked ones. A message of more
  // than `max_message` bytes is refused as soon as its length is known.
  WebSocketDecoder(WebSocketRole role, std::size_t max_message)
      : role_(role), max_message_(max_message) {}

  // Takes the next whole message off the front of `input`, which is unmasked in place; nothing when
  // more bytes are needed: call again with the rest and what came after it. Once failure() is set
  // nothing more is returned. Fragmented messages are put together, and control frames between
  // their fragments are returned first.
  std::optional<WebSocketMessage> next(std::span<std::uint8_t>& input);

  const std::optional<WebSocketFailure>& failure() const { return failure_; }

 private:
  struct Header;
  std::optional<Header> read_header(std::span<const std::uint8_t> input);
  std::optional<WebSocketMessage> take(const Header& header, std::span<std::uint8_t> payload);
  void fail(CloseCode code, const char* reason) { failure_ = WebSocketFailure{code, reason}; }

  WebSocketRole role_;
  std::size_t max_message_;
  std::optional<WebSocketFailure> failure_;
  // A fragmented message so far, and what it is; continuation when there is none.
  std::vector<std::uint8_t> fragments_;
  WebSocketOpcode fragmented_ = WebSocketOpcode::continuation;
};

// Appends the header of a final frame whose payload of `size` bytes the caller appends next; a
// client then masks that payload with the same key.
void encode_frame_header(WebSocketRole role, WebSocketOpcode opcode, std::size_t size,
                         std::uint32_t mask, std::vector<std::uint8_t>& out);
// XORs with the key's bytes in memory order, starting at the first: masks and unmasks.
void apply_mask(std::span<std::uint8_t> payload, std::uint32_t mask);

// A whole frame at once; for control frames (at most 125 bytes) and tests.
void encode_frame(WebSocketRole role, WebSocketOpcode opcode, Bytes payload, std::uint32_t mask,
                  std::vector<std::uint8_t>& out);
void encode_close(WebSocketRole role, CloseCode code, std::string_view reason, std::uint32_t mask,
                  std::vector<std::uint8_t>& out);

}  // namespace slipway::wire
