#pragma once

#include "base/unique_fd.hpp"
#include "wire/btp_frame.hpp"
#include "wire/websocket_frame.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace slipway::connector::test {

// A BTP client of its own, with blocking set-up and non-blocking traffic, for driving a connector
// from one thread with poll(). Built on the codec of src/wire, which has vectors and fuzzers.
class BtpPeer {
 public:
  // Connects and shakes hands; authenticates unless the token is empty. One that understands the
  // drain notice says so, and is handed it as any other frame.
  BtpPeer(std::uint16_t port, const std::string& token, bool understands_drain = false);

  int fd() const { return fd_.get(); }
  bool closed() const { return closed_; }
  std::optional<std::uint16_t> close_code() const { return close_code_; }
  std::size_t unsent() const { return out_.size() - sent_; }

  void send(wire::BtpType type, std::uint32_t request_id, wire::Bytes packet);
  void send_error(std::uint32_t request_id);
  // A WebSocket message that is whatever it is.
  void send_bytes(wire::Bytes payload);
  // Bytes on the socket, outside any frame.
  void send_raw(wire::Bytes bytes);
  void send_close();

  // Writes what it can and reads what there is.
  void flush();
  void receive(const std::function<void(const wire::BtpFrame&)>& handle);
  // Waits (at most a minute) for the next frame, or for the close.
  bool wait(const std::function<void(const wire::BtpFrame&)>& handle);

 private:
  void authenticate(const std::string& token, bool understands_drain);

  UniqueFd fd_;
  wire::WebSocketDecoder decoder_{wire::WebSocketRole::client, std::size_t{1} << 20};
  std::vector<std::uint8_t> in_;
  std::size_t in_size_ = 0;
  std::vector<std::uint8_t> out_;
  std::size_t sent_ = 0;
  bool closed_ = false;
  std::optional<std::uint16_t> close_code_;
};

}  // namespace slipway::connector::test
