#include "packet_bench/target/receiver.hpp"

#include <array>

namespace slipway::bench {

Receiver::Receiver(Poller& poller, const Target& target, const Address& address,
                   ReceiverBehaviour behaviour)
    : behaviour_(behaviour), link_(poller, target, address, *this) {}

void Receiver::on_frame(BtpLink& link, const wire::BtpFrame& frame) {
  if (frame.type != wire::BtpType::message) return;
  const wire::SubProtocol* ilp = frame.find("ilp");
  if (ilp == nullptr) return;
  const auto packet = wire::decode_packet(ilp->data);
  if (!packet || !std::holds_alternative<wire::Prepare>(*packet)) return;
  ++prepares_;
  if (behaviour_ == ReceiverBehaviour::silent) return;
  packet_.clear();
  answer(std::get<wire::Prepare>(*packet));
  link.send_ilp(wire::BtpType::response, frame.request_id, packet_);
}

void Receiver::answer(const wire::Prepare& prepare) {
  if (behaviour_ == ReceiverBehaviour::reject || prepare.data.size() < 32) {
    return wire::encode(wire::Reject{"F99", prepare.destination, "rejected by the receiver", {}},
                        packet_);
  }
  std::array<std::uint8_t, 32> fulfillment;
  std::copy_n(prepare.data.begin(), 32, fulfillment.begin());
  if (behaviour_ == ReceiverBehaviour::wrong_preimage) fulfillment[0] ^= 0xff;
  wire::encode(wire::Fulfill{fulfillment, {}}, packet_);
}

}  // namespace slipway::bench
