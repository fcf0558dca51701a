#pragma once

#include "packet_bench/common/clock.hpp"
#include "packet_bench/target/channel.hpp"
#include "packet_bench/target/connection.hpp"
#include "packet_bench/target/target.hpp"
#include "wire/btp_drain.hpp"
#include "wire/btp_frame.hpp"
#include "wire/websocket_frame.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace slipway::bench {

class BtpLink;

// What the owner of a link is told, on the loop's thread.
class BtpLinkEvents {
 public:
  virtual ~BtpLinkEvents() = default;
  virtual void on_frame(BtpLink& link, const wire::BtpFrame& frame) = 0;
  virtual void on_up(BtpLink&) {}
  // The connection was lost after it had been up.
  virtual void on_down(BtpLink&, const std::string&) {}
  // Bytes arrived and are about to be handed over as frames: they count from link.arrived() on.
  virtual void on_input(BtpLink&) {}
};

// A BTP client over WebSocket: connects, upgrades, authenticates, and does so again at once
// whenever the connection is lost, with a delay that doubles from 1 to 100 ms while it fails.
class BtpLink final : public EventSink {
 public:
  BtpLink(Poller& poller, const Target& target, const Address& address, BtpLinkEvents& events);

  // Opens or reopens the connection when it is time to; call it in every turn of the loop while
  // the link is not ready.
  void tick(TimePoint now);
  bool ready() const { return stage_ == Stage::ready; }
  // Why the last attempt failed; empty when none did.
  const std::string& failure() const { return failure_; }
  // How many messages have been sent on the connection and not been answered.
  std::uint64_t unanswered() const { return unanswered_; }
  Opening opening() const { return {connection_.connect_took(), connection_.handshake_took()}; }
  TimePoint arrived() const { return connection_.arrived(); }

  // Queues one ILP packet; flush() sends all that is queued in one write.
  void send_ilp(wire::BtpType response_or_message, std::uint32_t request_id, wire::Bytes packet);
  void flush();
  // Answers the peer's drain notice, if the connection is still up.
  void answer_drain(std::uint32_t request_id);
  bool has_room() const { return connection_.has_room(); }
  // Says goodbye (1000) and closes.
  void close();

  void on_events(std::uint32_t epoll_events) override;

  std::uint8_t number = 0;  // the owner's

 private:
  enum class Stage { down, connecting, upgrading, authenticating, ready };

  void begin_upgrade();
  void advance();
  bool read_upgrade_answer();
  void read_frames();
  // False when the connection was lost over it.
  bool take_message(const wire::WebSocketMessage& message);
  void take_btp(wire::Bytes message);
  void take_authentication_answer(const wire::BtpFrame& frame);
  void send_authentication();
  void send_scratch();
  void lost(std::string why);
  std::uint32_t next_mask();

  Target target_;
  Address address_;
  BtpLinkEvents& events_;
  Connection connection_;
  Stage stage_ = Stage::down;
  std::string key_;
  std::string failure_;
  std::uint64_t unanswered_ = 0;
  std::uint64_t random_;
  TimePoint next_attempt_{};
  TimePoint give_up_attempt_{};
  std::chrono::nanoseconds backoff_{0};
  wire::WebSocketDecoder decoder_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace slipway::bench
