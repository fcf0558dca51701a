#include "packet_bench/target/btp_channel.hpp"

namespace slipway::bench {

const Scheme btp_scheme{.name = "btp+ws",
                        .tls_name = "btp+wss",
                        .example = "btp+ws://:TOKEN@host:port/path",
                        .pays = true,
                        .make = make_channel<BtpChannel>};

BtpChannel::BtpChannel(const ChannelParts& parts)
    : prepare_(*parts.prepare),
      seed_(parts.seed),
      events_(parts.events),
      link_(parts.poller, parts.target, parts.address, *this) {}

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

void BtpChannel::on_down(BtpLink& link, const std::string& why) {
  events_.on_down(*this, {link.number, link.unanswered() > 0, why});
}

void BtpChannel::on_up(BtpLink& link) {
  events_.on_up(link.opening());
}

void BtpChannel::on_input(BtpLink& link) {
  events_.on_input(link.arrived());
}

}  // namespace slipway::bench
