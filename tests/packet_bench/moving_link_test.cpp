// A BTP client whose peer drains, against a server that does what each case says.
#include "packet_bench/target/moving_link.hpp"

#include "packet_bench/target/btp_channel.hpp"
#include "packet_bench/target/websocket_handshake.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"
#include "wire/oer.hpp"

#include <array>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::bench;
using namespace std::chrono_literals;
using wire::BtpType;

namespace {

using Buffer = std::vector<std::uint8_t>;

// What the client has sent, a word a frame: "auth+drain", "message 7", "response 9", "moved".
std::string word_for(const wire::BtpFrame& frame) {
  if (frame.find("auth") != nullptr) return wire::is_about_drain(frame) ? "auth+drain" : "auth";
  if (wire::is_about_drain(frame)) return "moved";
  return fmt::format("{} {}", frame.type == BtpType::message ? "message" : "response",
                     frame.request_id);
}

// The server's end of one connection.
class End {
 public:
  explicit End(UniqueFd fd) : fd_(std::move(fd)) {}

  // Takes what has come, and lets the client in.
  void serve() {
    std::array<std::uint8_t, 4096> block;
    for (ssize_t got; (got = ::recv(fd_.get(), block.data(), block.size(), MSG_DONTWAIT)) > 0;) {
      in_.insert(in_.end(), block.begin(), block.begin() + got);
    }
    if (!upgraded_ && !upgrade()) return;
    std::span<std::uint8_t> input(in_);
    while (const auto message = decoder_.next(input)) {
      if (message->opcode != wire::WebSocketOpcode::binary) continue;
      const auto frame = wire::decode_btp_frame(message->payload);
      REQUIRE(frame.has_value());
      heard.push_back(word_for(*frame));
      if (frame->find("auth") == nullptr) continue;
      Buffer reply;
      wire::encode_btp(BtpType::response, frame->request_id, {}, reply);
      send(reply);
    }
    in_.erase(in_.begin(), in_.end() - static_cast<std::ptrdiff_t>(input.size()));
  }
  void send(const Buffer& frame) {
    Buffer out;
    wire::encode_frame(wire::WebSocketRole::server, wire::WebSocketOpcode::binary, frame, 0, out);
    put(out);
  }
  void send_packet(BtpType type, std::uint32_t request_id) {
    Buffer frame;
    wire::encode_btp_ilp(type, request_id, wire::oer::as_bytes("packet"), frame);
    send(frame);
  }
  void send_notice() {
    Buffer frame;
    wire::encode_drain(BtpType::message, 77, frame);
    send(frame);
  }
  void close() {
    Buffer out;
    wire::encode_close(wire::WebSocketRole::server, wire::CloseCode::going_away, "", 0, out);
    put(out);
  }

  std::vector<std::string> heard;

 private:
  bool upgrade() {
    const std::string text(in_.begin(), in_.end());
    if (!text.ends_with("\r\n\r\n")) return false;
    const std::string_view name = "Sec-WebSocket-Key: ";
    const std::size_t at = text.find(name) + name.size();
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        websocket::accept_for(text.substr(at, text.find("\r\n", at) - at)) + "\r\n\r\n";
    put({answer.begin(), answer.end()});
    in_.clear();
    return upgraded_ = true;
  }
  void put(const Buffer& bytes) {
    REQUIRE(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }

  UniqueFd fd_;
  Buffer in_;
  bool upgraded_ = false;
  wire::WebSocketDecoder decoder_{wire::WebSocketRole::server, 1 << 16};
};

// A listening socket and the connections that came to it, oldest first.
class Ends {
 public:
  void serve() {
    UniqueFd come = listener_ ? listener_->accept_if_any() : UniqueFd();
    if (come) all.push_back(std::make_unique<End>(std::move(come)));
    for (const auto& end : all) end->serve();
  }
  void refuse() { listener_.reset(); }
  Target target() const {
    return {.scheme = &btp_scheme, .host = "127.0.0.1", .port = port_, .token = "tok"};
  }

  std::vector<std::unique_ptr<End>> all;

 private:
  std::optional<test::LoopbackPort> listener_{std::in_place};
  std::uint16_t port_ = static_cast<std::uint16_t>(listener_->number());
};

struct Owner : BtpLinkEvents {
  void on_frame(BtpLink& link, const wire::BtpFrame& frame) override {
    frames.push_back(fmt::format("{} on {}", frame.request_id, link.number));
    if (frame.type == BtpType::message) {
      link.send_ilp(BtpType::response, frame.request_id, wire::oer::as_bytes("answer"));
    }
  }
  void on_down(BtpLink& link, const std::string&) override {
    downs.push_back(fmt::format("{} with {}", link.number, link.unanswered()));
  }
  std::vector<std::string> frames;
  std::vector<std::string> downs;
};

struct Place {
  Ends server;
  Poller poller;
  Owner owner;
  Address address = *resolve(server.target(), nullptr);
  MovingLink link{poller, server.target(), address, owner};

  template <typename Done>
  void until(Done done) {
    const auto deadline = Clock::now() + 30s;
    while (!done()) {
      REQUIRE(Clock::now() < deadline);
      turn();
    }
  }
  void turn() {
    if (link.needs_tick()) link.tick(Clock::now());
    server.serve();
    poller.wait(1ms);
  }
  void send(std::uint32_t number) {
    link.send_ilp(BtpType::message, number, wire::oer::as_bytes("packet"));
    link.flush();
  }
  End& end(std::size_t number) { return *server.all.at(number); }
  bool heard(std::size_t number, const std::string& word) {
    return server.all.size() > number && !end(number).heard.empty() &&
           end(number).heard.back() == word;
  }
  // Connected, a packet unanswered, and told to move.
  void begin() {
    until([&] { return link.ready(); });
    send(7);
    until([&] { return heard(0, "message 7"); });
    end(0).send_notice();
  }
};

}  // namespace

TEST_CASE("a link that is told to move sends over the new connection and is answered on both",
          "[moving_link]") {
  Place place;
  place.begin();
  place.until([&] { return place.heard(0, "moved"); });
  CHECK(place.end(0).heard == std::vector<std::string>{"auth+drain", "message 7", "moved"});
  CHECK(place.link.number() == 1);
  place.send(8);
  place.until([&] { return place.heard(1, "message 8"); });
  // What others send meanwhile is answered where it came.
  place.end(0).send_packet(BtpType::message, 500);
  place.until([&] { return place.heard(0, "response 500"); });
  place.end(1).send_packet(BtpType::response, 8);
  place.end(0).send_packet(BtpType::response, 7);
  place.until([&] { return place.owner.frames.size() == 3; });
  place.end(0).close();
  place.until([&] { return !place.link.needs_tick(); });
  CHECK(place.owner.downs.empty());
  CHECK(place.link.ready());
  CHECK(place.link.times_up() == 2);
  CHECK(place.server.all.size() == 2);
}

TEST_CASE("a former connection that is lost with something unanswered is told, and only it",
          "[moving_link]") {
  Place place;
  place.begin();
  place.until([&] { return place.heard(0, "moved"); });
  place.send(8);
  place.end(0).close();
  place.until([&] { return !place.owner.downs.empty(); });
  CHECK(place.owner.downs == std::vector<std::string>{"0 with 1"});
  CHECK(place.link.ready());
}

TEST_CASE("a link that cannot connect anew goes on where it is, and is down once that is closed",
          "[moving_link]") {
  Place place;
  place.until([&] { return place.link.ready(); });
  place.server.refuse();
  place.end(0).send_notice();
  for (int turns = 0; turns < 20; ++turns) place.turn();
  place.send(8);
  place.until([&] { return place.heard(0, "message 8"); });
  CHECK(place.owner.downs.empty());
  place.end(0).close();
  place.until([&] { return !place.owner.downs.empty(); });
  CHECK(place.owner.downs == std::vector<std::string>{"0 with 1"});
  CHECK_FALSE(place.link.ready());
}

TEST_CASE("a link moves again and again, and leaves nothing behind", "[moving_link]") {
  Place place;
  place.until([&] { return place.link.ready(); });
  for (std::size_t move = 0; move < 5; ++move) {
    place.end(move).send_notice();
    place.until([&] { return place.heard(move, "moved"); });
    place.end(move).close();
    place.until([&] { return place.link.ready() && !place.link.needs_tick(); });
  }
  CHECK(place.owner.downs.empty());
  CHECK(place.link.times_up() == 6);
  CHECK(place.link.number() == 5);
}
