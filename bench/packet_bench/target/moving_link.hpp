#pragma once

#include "packet_bench/target/btp_link.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace slipway::bench {

// A BTP client that follows its peer's drain notices (wire/btp_drain.hpp): it connects anew, sends
// over the new connection once that is ready, and keeps the one before, on which answers and
// Prepares still come, until the peer closes it. Its owner is told of frames of them all, and of a
// connection that is down if anything was unanswered on it, or if it was the newest.
class MovingLink final : private BtpLinkEvents {
 public:
  MovingLink(Poller& poller, const Target& target, const Address& address, BtpLinkEvents& events);

  // As BtpLink's; of the newest connection that has been ready.
  bool ready() const { return current_->ready(); }
  const std::string& failure() const { return current_->failure(); }
  void send_ilp(wire::BtpType response_or_message, std::uint32_t request_id, wire::Bytes packet) {
    current_->send_ilp(response_or_message, request_id, packet);
  }
  void flush() { current_->flush(); }
  bool has_room() const { return current_->has_room(); }
  std::uint8_t number() const { return current_->number; }

  // Whether there is anything to do in tick(), which is to be called in every turn then, and never
  // while events are handed out.
  bool needs_tick() const { return !current_->ready() || next_ || !former_.empty(); }
  void tick(TimePoint now);
  std::uint64_t times_up() const { return times_up_; }
  void close();

 private:
  void on_frame(BtpLink& link, const wire::BtpFrame& frame) override;
  void on_up(BtpLink& link) override;
  void on_down(BtpLink& link, const std::string& why) override;
  void on_input(BtpLink& link) override { events_.on_input(link); }

  std::unique_ptr<BtpLink> make_link();
  void succeed();

  Poller& poller_;
  const Target target_;
  const Address address_;
  BtpLinkEvents& events_;
  std::uint8_t last_number_ = 0;
  std::uint64_t times_up_ = 0;
  std::uint32_t notice_ = 0;                      // the request id of the peer's, while there is
  std::unique_ptr<BtpLink> next_;                 // the connection that is being opened for it
  std::vector<std::unique_ptr<BtpLink>> former_;  // until they are closed
  std::unique_ptr<BtpLink> spare_;                // one that was, for its memory
  std::unique_ptr<BtpLink> current_;
};

}  // namespace slipway::bench
