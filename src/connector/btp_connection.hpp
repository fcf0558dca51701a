#pragma once

#include "connector/hub.hpp"
#include "connector/link.hpp"
#include "connector/outbox.hpp"
#include "wire/btp_frame.hpp"
#include "wire/websocket_frame.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

// One BTP 2.0 link (RFC 0023) over one socket, after the WebSocket handshake. Reads many frames at
// once, answers into one outbox, which the Hub has written when the round is over. A server's
// connection belongs to an account once the peer has authenticated; a client's when it begins.
class BtpConnection : public Link, public std::enable_shared_from_this<BtpConnection> {
 public:
  // A peer that has come to us. `received` is what was read beyond its handshake;
  // `authenticated` is called once it has shown whose it is.
  static std::shared_ptr<BtpConnection> accepted(Hub& hub, boost::asio::ip::tcp::socket socket,
                                                 wire::Bytes received,
                                                 std::function<void()> authenticated);
  // A peer that we have dialled for `account`; the connection authenticates us to it. `drains` is
  // called when the peer says that it is being replaced (wire/btp_drain.hpp); another connection of
  // the account then leaves this one open for what is unanswered.
  static std::shared_ptr<BtpConnection> dialled(Hub& hub, boost::asio::ip::tcp::socket socket,
                                                AccountIndex account, const PeerUrl& peer,
                                                std::function<void()> drains);

  // Serves the connection until it is closed by either side.
  boost::asio::awaitable<void> run();
  // Sends Close and goes on reading until the peer has answered it, at most a second or two:
  // closing at once could take back answers that are still on the wire.
  void close(wire::CloseCode code, std::string_view reason);

  // Closes at once, without a word to the peer.
  void drop(std::string_view reason);

  // To a peer that understands it: that we are being replaced, and it is to connect anew.
  void send_drain_notice();
  bool understands_drain() const { return understands_drain_; }
  // Whether the peer has said that no more requests of it follow here.
  bool has_moved() const { return moved_; }

  bool is_open() const { return state_ == State::open; }
  std::optional<AccountIndex> account() const { return account_; }

  // Whether bytes have arrived that have not been handled.
  bool has_unread();

  // For the Hub.
  void flush();
  void check_deadlines(std::chrono::steady_clock::time_point now);

  void send_prepare(std::uint32_t request_id, wire::Bytes packet, std::uint64_t amount,
                    wire::Timestamp expires_at) override;
  void send_reply(std::uint32_t request_id, wire::Bytes packet) override;
  bool congested() const override;

 private:
  enum class State { authenticating, open, closing, closed };
  static constexpr std::string_view replaced =
      "a newer connection of the account replaces this one";
  using TimePoint = std::chrono::steady_clock::time_point;

  BtpConnection(Hub& hub, boost::asio::ip::tcp::socket socket, wire::WebSocketRole role);

  boost::asio::awaitable<bool> read_some();
  void process();
  void handle_message(const wire::WebSocketMessage& message, const Now& now);
  void handle_close(wire::Bytes payload);
  void handle_frame(wire::Bytes bytes, const Now& now);
  void handle_request(const wire::BtpFrame& frame, const Now& now);
  void authenticate_peer(const wire::BtpFrame& frame, const Now& now);
  void finish_own_authentication(const wire::BtpFrame& frame, const Now& now);
  void send_own_authentication(const PeerUrl& peer);
  void become_open(AccountIndex account, const Now& now);
  void answer_drain_notice();
  void leave(std::string_view reason);
  template <typename Encode>
  void append(wire::WebSocketOpcode opcode, std::size_t size, Encode encode);
  void send_btp(const std::vector<std::uint8_t>& frame);
  void mark_dirty();
  std::string_view account_id() const;

  Hub& hub_;
  boost::asio::ip::tcp::socket socket_;
  wire::WebSocketRole role_;
  wire::WebSocketDecoder decoder_;
  State state_ = State::authenticating;
  std::optional<AccountIndex> account_;
  LinkId link_;
  std::function<void()> authenticated_;
  std::function<void()> peer_drains_;
  bool understands_drain_ = false;
  std::optional<std::uint32_t> notice_;      // the request id of the drain notice, sent or received
  bool moved_ = false;                       // it has been answered
  std::optional<TimePoint> replaced_since_;  // by a newer one, beside which it still answers
  std::string remote_;
  std::uint32_t auth_request_ = 0;

  std::vector<std::uint8_t> in_;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  Outbox out_;
  bool dirty_ = false;
  bool waiting_to_write_ = false;
  bool reading_ = true;
  boost::asio::steady_timer resume_;  // cancelled when reading may go on

  TimePoint started_;
  TimePoint closing_since_;
  std::optional<TimePoint> partial_since_;  // since when the same frame has been incomplete
};

}  // namespace slipway::connector
