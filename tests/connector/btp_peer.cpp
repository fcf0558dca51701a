#include "connector/btp_peer.hpp"

#include "connector/connector_process.hpp"
#include "wire/btp_drain.hpp"
#include "wire/oer.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

namespace slipway::connector::test {
namespace {

constexpr std::uint32_t mask = 0x5ac3e10f;
constexpr wire::WebSocketRole client = wire::WebSocketRole::client;

}  // namespace

BtpPeer::BtpPeer(std::uint16_t port, const std::string& token, bool understands_drain)
    : fd_(connect_to(port)), in_(256 * 1024) {
  const std::string request =
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (::send(fd(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    throw std::runtime_error("handshake: send");
  }
  std::string response;
  while (!response.ends_with("\r\n\r\n")) {
    char c;
    if (::recv(fd(), &c, 1, 0) != 1) throw std::runtime_error("handshake: " + response);
    response += c;
  }
  // RFC 6455 1.3 gives the answer to this key.
  if (response.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == std::string::npos) {
    throw std::runtime_error("handshake: " + response);
  }
  ::fcntl(fd(), F_SETFL, O_NONBLOCK);
  if (!token.empty()) authenticate(token, understands_drain);
}

void BtpPeer::authenticate(const std::string& token, bool understands_drain) {
  std::vector<wire::SubProtocol> auth{
      {"auth", wire::ContentType::octets, {}},
      {"auth_token", wire::ContentType::text, wire::oer::as_bytes(token)}};
  if (understands_drain) auth.push_back(wire::drain_mark);
  std::vector<std::uint8_t> frame;
  wire::encode_btp(wire::BtpType::message, 1, auth, frame);
  send_bytes(frame);
  bool accepted = false;
  wait([&](const wire::BtpFrame& reply) { accepted = reply.type == wire::BtpType::response; });
  if (!accepted) throw std::runtime_error("the token was refused");
}

void BtpPeer::send(wire::BtpType type, std::uint32_t request_id, wire::Bytes packet) {
  const std::size_t size = wire::btp_ilp_size(packet.size());
  wire::encode_frame_header(client, wire::WebSocketOpcode::binary, size, mask, out_);
  wire::encode_btp_ilp(type, request_id, packet, out_);
  wire::apply_mask(std::span(out_).last(size), mask);
}

void BtpPeer::send_error(std::uint32_t request_id) {
  std::vector<std::uint8_t> frame;
  wire::encode_btp_error(request_id, "F00", "NotAcceptedError", {}, {}, frame);
  send_bytes(frame);
}

void BtpPeer::send_bytes(wire::Bytes payload) {
  wire::encode_frame(client, wire::WebSocketOpcode::binary, payload, mask, out_);
}

void BtpPeer::send_raw(wire::Bytes bytes) {
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void BtpPeer::send_close() {
  wire::encode_close(client, wire::CloseCode::normal, "", mask, out_);
}

void BtpPeer::flush() {
  while (!closed_ && unsent() > 0) {
    const ssize_t sent = ::send(fd(), out_.data() + sent_, unsent(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) closed_ = true;
    if (sent > 0) sent_ += static_cast<std::size_t>(sent);
  }
  out_.clear();
  sent_ = 0;
}

void BtpPeer::receive(const std::function<void(const wire::BtpFrame&)>& handle) {
  while (!closed_) {
    const ssize_t size = ::recv(fd(), in_.data() + in_size_, in_.size() - in_size_, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) closed_ = true;
    if (size > 0) in_size_ += static_cast<std::size_t>(size);
    std::span<std::uint8_t> input(in_.data(), in_size_);
    while (const auto message = decoder_.next(input)) {
      if (message->opcode == wire::WebSocketOpcode::close) {
        if (message->payload.size() >= 2) {
          close_code_ = static_cast<std::uint16_t>(message->payload[0] << 8 | message->payload[1]);
        }
        send_close();
        flush();
        closed_ = true;
        break;
      }
      const auto frame = wire::decode_btp_frame(message->payload);
      if (!frame) throw std::runtime_error("the connector sent " + frame.error().what);
      handle(*frame);
    }
    if (decoder_.failure()) throw std::runtime_error(decoder_.failure()->reason);
    in_size_ = input.size();
    std::memmove(in_.data(), input.data(), in_size_);
  }
}

bool BtpPeer::wait(const std::function<void(const wire::BtpFrame&)>& handle) {
  bool got = false;
  flush();
  for (int rounds = 0; !got && !closed_; ++rounds) {
    if (rounds > 6000) throw std::runtime_error("nothing came from the connector");
    pollfd entry{fd(), static_cast<short>(POLLIN | (unsent() > 0 ? POLLOUT : 0)), 0};
    ::poll(&entry, 1, 10);
    flush();
    receive([&](const wire::BtpFrame& frame) {
      got = true;
      handle(frame);
    });
  }
  return got;
}

}  // namespace slipway::connector::test
