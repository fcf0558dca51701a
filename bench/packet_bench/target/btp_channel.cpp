#include "packet_bench/target/btp_channel.hpp"

namespace slipway::bench {

BtpChannel::BtpChannel(Poller& poller, const Target& target, const Address& address,
                       PrepareTemplate& prepare, std::uint64_t seed, ChannelEvents& events)
    : prepare_(prepare), seed_(seed), events_(events), link_(poller, target, address, *this) {}

bool BtpChannel::can_send() const {
  return link_.ready() && link_.has_room();
}

void BtpChannel::send(std::uint32_t ticket, std::uint64_t number, wire::Timestamp expires_at) {
  link_.send_ilp(wire::BtpType::message, ticket,
                 prepare_.prepare(preimage_of(seed_, number), expires_at));
}

void BtpChannel::on_frame(BtpLink&, const wire::BtpFrame& frame) {
  if (frame.type == wire::BtpType::error) {
    return events_.on_answer(*this, frame.request_id, {Answer::Kind::failed});
  }
  if (frame.type != wire::BtpType::response) return;
  const wire::SubProtocol* ilp = frame.find("ilp");
  if (ilp == nullptr) {
    return events_.on_answer(*this, frame.request_id, {Answer::Kind::failed});
  }
  const auto packet = wire::decode_packet(ilp->data);
  if (!packet) return events_.on_answer(*this, frame.request_id, {Answer::Kind::failed});
  if (const auto* fulfill = std::get_if<wire::Fulfill>(&*packet)) {
    events_.on_answer(*this, frame.request_id, {Answer::Kind::fulfilled, fulfill->fulfillment});
  } else if (const auto* reject = std::get_if<wire::Reject>(&*packet)) {
    events_.on_answer(*this, frame.request_id, {Answer::Kind::rejected, {}, reject->code});
  } else {
    events_.on_answer(*this, frame.request_id, {Answer::Kind::failed});
  }
}

void BtpChannel::on_down(BtpLink&, const std::string& why) {
  events_.on_down(*this, why);
}

void BtpChannel::on_input(BtpLink&) {
  events_.on_input();
}

}  // namespace slipway::bench
