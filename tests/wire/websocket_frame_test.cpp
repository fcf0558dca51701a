#include "wire/websocket_frame.hpp"

#include "support/catch.hpp"
#include "support/hex.hpp"

#include <random>

using namespace slipway::wire;
using slipway::test::from_hex;
using slipway::test::to_hex;

namespace {

using Buffer = std::vector<std::uint8_t>;
constexpr std::size_t limit = 100'000;

struct Received {
  WebSocketOpcode opcode;
  std::string payload;
  bool operator==(const Received&) const = default;
};

// Feeds `bytes` in pieces that end at `cuts`, as reads from a socket would.
std::vector<Received> receive(WebSocketDecoder& decoder, const Buffer& bytes,
                              std::vector<std::size_t> cuts = {}) {
  cuts.push_back(bytes.size());
  std::vector<Received> all;
  Buffer buffered;
  std::size_t from = 0;
  for (const std::size_t to : cuts) {
    buffered.insert(buffered.end(), bytes.begin() + static_cast<std::ptrdiff_t>(from),
                    bytes.begin() + static_cast<std::ptrdiff_t>(to));
    from = to;
    std::span<std::uint8_t> input(buffered);
    while (const auto message = decoder.next(input)) {
      all.push_back({message->opcode, {message->payload.begin(), message->payload.end()}});
    }
    buffered.erase(buffered.begin(), buffered.end() - static_cast<std::ptrdiff_t>(input.size()));
  }
  return all;
}

std::string failure_of(WebSocketRole role, std::string_view hex) {
  WebSocketDecoder decoder(role, limit);
  CHECK(receive(decoder, from_hex(hex)).empty());
  REQUIRE(decoder.failure());
  return std::to_string(static_cast<int>(decoder.failure()->code)) + " " +
         decoder.failure()->reason;
}

}  // namespace

TEST_CASE("the examples of RFC 6455 section 5.7 decode", "[wire]") {
  WebSocketDecoder client(WebSocketRole::client, limit);
  CHECK(receive(client, from_hex("810548656c6c6f")) ==
        std::vector<Received>{{WebSocketOpcode::text, "Hello"}});
  CHECK(receive(client, from_hex("010348656c80026c6f")) ==
        std::vector<Received>{{WebSocketOpcode::text, "Hello"}});
  CHECK(receive(client, from_hex("890548656c6c6f")) ==
        std::vector<Received>{{WebSocketOpcode::ping, "Hello"}});
  WebSocketDecoder server(WebSocketRole::server, limit);
  CHECK(receive(server, from_hex("818537fa213d7f9f4d5158")) ==
        std::vector<Received>{{WebSocketOpcode::text, "Hello"}});
  CHECK(receive(server, from_hex("8a8537fa213d7f9f4d5158")) ==
        std::vector<Received>{{WebSocketOpcode::pong, "Hello"}});
}

TEST_CASE("frames encode as in RFC 6455 section 5.7", "[wire]") {
  const std::string hello = "Hello";
  const Bytes payload{reinterpret_cast<const std::uint8_t*>(hello.data()), hello.size()};
  Buffer out;
  encode_frame(WebSocketRole::server, WebSocketOpcode::text, payload, 0, out);
  CHECK(to_hex(out) == "810548656c6c6f");
  out.clear();
  std::uint32_t mask;
  const Buffer key = from_hex("37fa213d");
  std::memcpy(&mask, key.data(), 4);
  encode_frame(WebSocketRole::client, WebSocketOpcode::text, payload, mask, out);
  CHECK(to_hex(out) == "818537fa213d7f9f4d5158");
  out.clear();
  encode_frame_header(WebSocketRole::server, WebSocketOpcode::binary, 256, 0, out);
  CHECK(to_hex(out) == "827e0100");
  out.clear();
  encode_frame_header(WebSocketRole::server, WebSocketOpcode::binary, 65536, 0, out);
  CHECK(to_hex(out) == "827f0000000000010000");
  out.clear();
  encode_close(WebSocketRole::server, CloseCode::going_away, "bye", 0, out);
  CHECK(to_hex(out) == "880503e9627965");
}

TEST_CASE("messages survive any split of the byte stream", "[wire]") {
  std::mt19937 random(20240501);
  INFO("seed 20240501");
  for (const WebSocketRole sender : {WebSocketRole::client, WebSocketRole::server}) {
    const WebSocketRole receiver =
        sender == WebSocketRole::client ? WebSocketRole::server : WebSocketRole::client;
    for (int round = 0; round < 50; ++round) {
      std::vector<Received> sent;
      Buffer stream;
      for (const std::size_t size : {0, 1, 7, 8, 125, 126, 127, 300, 65535, 65536}) {
        std::string payload(size, '\0');
        for (char& c : payload) c = static_cast<char>(random());
        encode_frame(sender, WebSocketOpcode::binary,
                     {reinterpret_cast<const std::uint8_t*>(payload.data()), size},
                     static_cast<std::uint32_t>(random()), stream);
        sent.push_back({WebSocketOpcode::binary, payload});
      }
      std::vector<std::size_t> cuts;
      for (int i = 0; i < 30; ++i) cuts.push_back(random() % stream.size());
      for (std::size_t i = 0; i < 24; ++i) cuts.push_back(i);
      std::sort(cuts.begin(), cuts.end());
      WebSocketDecoder decoder(receiver, limit);
      CHECK(receive(decoder, stream, cuts) == sent);
      CHECK_FALSE(decoder.failure());
    }
  }
}

TEST_CASE("a control frame between fragments comes first", "[wire]") {
  WebSocketDecoder client(WebSocketRole::client, limit);
  CHECK(receive(client, from_hex("020161"
                                 "890170"
                                 "000162"
                                 "800163")) ==
        std::vector<Received>{{WebSocketOpcode::ping, "p"}, {WebSocketOpcode::binary, "abc"}});
}

TEST_CASE("what RFC 6455 forbids fails the connection with its close code", "[wire]") {
  CHECK(failure_of(WebSocketRole::server, "8200") == "1002 unmasked frame from a client");
  CHECK(failure_of(WebSocketRole::client, "828000000000") == "1002 masked frame from a server");
  CHECK(failure_of(WebSocketRole::client, "c200") == "1002 reserved bit set");
  CHECK(failure_of(WebSocketRole::client, "8300") == "1002 unknown opcode");
  CHECK(failure_of(WebSocketRole::client, "827e0001") == "1002 length not in its shortest form");
  CHECK(failure_of(WebSocketRole::client, "827f000000000000ffff") ==
        "1002 length not in its shortest form");
  CHECK(failure_of(WebSocketRole::client, "0900") ==
        "1002 control frame fragmented or over 125 bytes");
  CHECK(failure_of(WebSocketRole::client, "897e007e") ==
        "1002 control frame fragmented or over 125 bytes");
  CHECK(failure_of(WebSocketRole::client, "8000") == "1002 continuation of nothing");
  CHECK(failure_of(WebSocketRole::client, "0201618200") ==
        "1002 new message inside a fragmented one");
}

TEST_CASE("a message over the limit is refused before its bytes arrive", "[wire]") {
  CHECK(failure_of(WebSocketRole::client, "827f0000000040000000") ==
        "1009 message over the size limit");
  // Fragments count together.
  WebSocketDecoder decoder(WebSocketRole::client, 4);
  CHECK(receive(decoder, from_hex("0203616263"
                                  "800264"
                                  "65"))
            .empty());
  REQUIRE(decoder.failure());
  CHECK(decoder.failure()->code == CloseCode::too_big);
}
