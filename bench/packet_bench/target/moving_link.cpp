#include "packet_bench/target/moving_link.hpp"

#include <utility>

namespace slipway::bench {

MovingLink::MovingLink(Poller& poller, const Target& target, const Address& address,
                       BtpLinkEvents& events)
    : poller_(poller), target_(target), address_(address), events_(events), current_(make_link()) {}

std::unique_ptr<BtpLink> MovingLink::make_link() {
  BtpLinkEvents& events = *this;
  auto link =
      spare_ ? std::move(spare_) : std::make_unique<BtpLink>(poller_, target_, address_, events);
  link->number = last_number_++;
  return link;
}

void MovingLink::tick(TimePoint now) {
  // Only here: whoever closes one is still in the middle of its events.
  std::erase_if(former_, [this](auto& link) {
    if (link->ready()) return false;
    spare_ = std::move(link);
    return true;
  });
  if (!current_->ready()) current_->tick(now);
  if (next_) next_->tick(now);
}

void MovingLink::close() {
  for (const auto& link : former_) link->close();
  if (next_) next_->close();
  current_->close();
}

void MovingLink::succeed() {
  former_.push_back(std::exchange(current_, std::move(next_)));
}

void MovingLink::on_frame(BtpLink& link, const wire::BtpFrame& frame) {
  if (frame.type != wire::BtpType::message || !wire::is_about_drain(frame)) {
    return events_.on_frame(link, frame);
  }
  if (&link != current_.get() || next_) return;
  notice_ = frame.request_id;
  next_ = make_link();
}

void MovingLink::on_up(BtpLink& link) {
  ++times_up_;
  if (&link == next_.get()) {
    succeed();
    // After what waits there to be sent: no request follows it.
    former_.back()->answer_drain(notice_);
  }
  events_.on_up(link);
}

void MovingLink::on_down(BtpLink& link, const std::string& why) {
  const bool newest = &link == current_.get();
  if (newest && next_) succeed();
  if (newest || link.unanswered() > 0) events_.on_down(link, why);
}

}  // namespace slipway::bench
