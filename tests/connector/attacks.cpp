#include "connector/attacks.hpp"

#include "base/unique_fd.hpp"
#include "connector/packets.hpp"
#include "wire/btp_frame.hpp"
#include "wire/oer.hpp"
#include "wire/websocket_frame.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <thread>

#include <fmt/core.h>

namespace slipway::connector::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Frame = std::vector<std::uint8_t>;

constexpr std::size_t crowd_size = 10'000;
constexpr std::uint32_t mask = 0x5ac3e10f;
constexpr std::string_view handshake =
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr std::string_view end_of_headers = "\r\n\r\n";

// A socket that never blocks its owner and never throws: a hostile client expects to be closed.
class HostileSocket {
 public:
  explicit HostileSocket(std::uint16_t port, int receive_buffer = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    ::bind(fd_.get(), generic, sizeof address);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(fd_.get(), generic, sizeof address);
  }

  bool closed() const { return closed_; }

  // How many bytes the kernel took.
  std::size_t send(wire::Bytes bytes) {
    if (closed_) return 0;
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) closed_ = true;
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  std::size_t send(std::string_view text) { return send(wire::oer::as_bytes(text)); }

  // What has come since the last call.
  std::string receive() {
    std::array<char, 65536> buffer;
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) closed_ = true;
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
  }

 private:
  UniqueFd fd_;
  bool closed_ = false;
};

Frame websocket(wire::Bytes payload, wire::WebSocketOpcode opcode = wire::WebSocketOpcode::binary) {
  Frame frame;
  wire::encode_frame(wire::WebSocketRole::client, opcode, payload, mask, frame);
  return frame;
}

Frame auth_frame(std::string_view token) {
  const std::array<wire::SubProtocol, 2> auth{
      wire::SubProtocol{"auth", wire::ContentType::octets, {}},
      wire::SubProtocol{"auth_token", wire::ContentType::text, wire::oer::as_bytes(token)}};
  Frame frame;
  wire::encode_btp(wire::BtpType::message, 1, auth, frame);
  return websocket(frame);
}

void rest(const std::stop_token& stop, Clock::duration time) {
  for (const auto until = Clock::now() + time; !stop.stop_requested() && Clock::now() < until;) {
    std::this_thread::sleep_for(std::min<Clock::duration>(10ms, until - Clock::now()));
  }
}

// A connection up to where the server has switched to WebSocket, and with a token to where it has
// let us in; none when that was not to be had.
std::optional<HostileSocket> open(std::uint16_t port, std::string_view token,
                                  const std::stop_token& stop, int receive_buffer = 0) {
  HostileSocket socket(port, receive_buffer);
  const auto exchange = [&](wire::Bytes bytes, auto done) {
    std::string answer;
    for (std::size_t sent = 0; !socket.closed() && !stop.stop_requested();) {
      if (sent < bytes.size()) sent += socket.send(bytes.subspan(sent));
      answer += socket.receive();
      if (done(answer)) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  };
  const bool switched = exchange(wire::oer::as_bytes(handshake), [](const std::string& answer) {
    return answer.find(end_of_headers) != std::string::npos;
  });
  if (!switched) return std::nullopt;
  const auto let_in = [](const std::string& answer) { return !answer.empty(); };
  if (!token.empty() && !exchange(auth_frame(token), let_in)) return std::nullopt;
  return socket;
}

// Three that send a byte a second: of the handshake, of the authentication, of a later frame. Each
// comes again once it has been closed.
void drip(std::uint16_t port, const std::stop_token& stop) {
  const Frame frame(64, 0x82);
  std::array<std::optional<HostileSocket>, 3> sockets;
  for (std::size_t at = 0; !stop.stop_requested(); ++at) {
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if (sockets[i]) sockets[i]->receive();
      if (sockets[i] && !sockets[i]->closed()) continue;
      if (i == 0) {
        sockets[i].emplace(port);
      } else {
        sockets[i] = open(port, i == 1 ? "" : "dripping-token", stop);
      }
    }
    if (sockets[0]) sockets[0]->send(handshake.substr(at % handshake.size(), 1));
    if (sockets[1]) sockets[1]->send(wire::Bytes(frame).first(1));
    if (sockets[2]) sockets[2]->send(wire::Bytes(frame).first(1));
    rest(stop, 1s);
  }
}

Frame prepare(std::string_view destination, std::uint64_t number, std::size_t data) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  Frame packet;
  wire::encode(wire::Prepare{1, now + 30s, std::array<std::uint8_t, 32>{}, destination,
                             Frame(data, static_cast<std::uint8_t>(number))},
               packet);
  Frame frame;
  wire::encode_btp_ilp(wire::BtpType::message, static_cast<std::uint32_t>(number), packet, frame);
  return websocket(frame);
}

// One that asks and never reads the answers; one that is paid, in large packets, and never reads.
void never_read(std::uint16_t port, const std::stop_token& stop) {
  constexpr int small = 4096;
  std::optional<HostileSocket> asking;
  std::optional<HostileSocket> paid;
  std::optional<HostileSocket> paying;
  const Frame question = prepare("test.nowhere", 1, 32);
  Frame questions;
  while (questions.size() < 60'000) {
    questions.insert(questions.end(), question.begin(), question.end());
  }
  const Frame payment = prepare("test.hub.paid", 2, 32'000);
  std::size_t asked = 0;
  std::size_t given = 0;
  const auto come_again = [&](std::optional<HostileSocket>& socket, const char* token,
                              std::size_t& position, int buffer) {
    if (socket && !socket->closed()) return;
    socket = open(port, token, stop, buffer);
    position = 0;
  };
  std::size_t none = 0;
  while (!stop.stop_requested()) {
    come_again(asking, "asking-token", asked, small);
    come_again(paid, "paid-token", none, small);
    come_again(paying, "paying-token", given, 0);
    if (asking) asked += asking->send(wire::Bytes(questions).subspan(asked));
    if (asked == questions.size()) asked = 0;
    // That it was closed shows only in writing, since it does not read.
    if (paid) paid->send(websocket({}, wire::WebSocketOpcode::pong));
    if (paying) {
      paying->receive();
      given += paying->send(wire::Bytes(payment).subspan(given));
      if (given == payment.size()) given = 0;
    }
    rest(stop, 10ms);
  }
}

// Half of them say nothing, half shake hands and then say nothing.
void crowd(std::uint16_t port, const std::stop_token& stop) {
  std::vector<HostileSocket> sockets;
  sockets.reserve(crowd_size);
  while (sockets.size() < crowd_size && !stop.stop_requested()) {
    for (int i = 0; i < 50; ++i) sockets.emplace_back(port);
    std::this_thread::sleep_for(1ms);
    for (std::size_t i = sockets.size() - 25; i < sockets.size(); ++i) sockets[i].send(handshake);
  }
  rest(stop, Clock::duration::max() / 4);
}

// Frames and bodies that say they are 1 GiB, with as much of it as is taken.
void giants(std::uint16_t port, const std::stop_token& stop) {
  constexpr std::array<std::uint8_t, 14> header{0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4};
  constexpr std::string_view request =
      "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer giant-token\r\n"
      "Content-Type: application/octet-stream\r\nContent-Length: 1073741824\r\n\r\n";
  const Frame filler(65536, 0x82);
  struct Giant {
    std::optional<HostileSocket> socket;
    Clock::time_point begun;
  };
  std::array<Giant, 3> all;
  while (!stop.stop_requested()) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto& [socket, begun] = all[i];
      if (!socket || socket->closed() || Clock::now() - begun > 5s) {
        begun = Clock::now();
        socket = i == 0 ? std::optional<HostileSocket>(port)
                        : open(port, i == 1 ? "" : "giant-token", stop);
        if (!socket) continue;
        // Not before the connection stands.
        std::this_thread::sleep_for(1ms);
        if (i == 0) {
          socket->send(request);
        } else {
          socket->send(header);
        }
      }
      for (int chunk = 0; chunk < 16 && socket->send(filler) == filler.size(); ++chunk) {
      }
    }
    rest(stop, 10ms);
  }
}

// Over BTP and over HTTP, some hundred a second.
void guess(std::uint16_t port, const std::stop_token& stop) {
  const std::string request = fmt::format(
      "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n",
      wrong_token);
  while (!stop.stop_requested()) {
    if (auto socket = open(port, "", stop)) socket->send(auth_frame(wrong_token));
    HostileSocket http(port);
    std::this_thread::sleep_for(1ms);
    http.send(request);
    for (int i = 0; i < 5 && http.receive().empty() && !http.closed(); ++i) {
      std::this_thread::sleep_for(1ms);
    }
  }
}

}  // namespace

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> all{
      {"a byte a second",
       drip,
       {{"request_failed", "not in time"},
        {"btp_closed", "not authenticated in time"},
        {"btp_closed", "a frame was begun and not finished in time"}}},
      {"never reading", never_read, {{"btp_closed", "the peer reads too slowly", 2}}},
      {"10,000 connections", crowd, {{"connection_evicted", "too many connections"}}},
      {"frames of 1 GiB",
       giants,
       {{"btp_closed", "message over the size limit", 2},
        {"request_failed", "body over the size limit"}}},
      {"wrong tokens",
       guess,
       {{"btp_auth_refused", "unknown token"}, {"http_auth_refused", "unknown token"}}}};
  return all;
}

std::string hostile_accounts() {
  std::string json;
  for (const char* id : {"dripping", "asking", "paid", "paying", "giant"}) {
    json += fmt::format(
        R"(, {{"id": "{0}", "asset": {{"code": "USD", "scale": 9}}, "token": "{0}-token"}})", id);
  }
  return json;
}

}  // namespace slipway::connector::test
