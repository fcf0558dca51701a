#pragma once

#include "packet_bench/target/moving_link.hpp"

#include <vector>

namespace slipway::bench {

// What our own receiver does with a Prepare. All but `fulfill` are there to prove that a wrong
// answer is not taken for a right one.
enum class ReceiverBehaviour { fulfill, wrong_preimage, reject, silent };

// The account that is paid: answers each Prepare with its first 32 data bytes as the fulfilment.
class Receiver final : private BtpLinkEvents {
 public:
  Receiver(Poller& poller, const Target& target, const Address& address,
           ReceiverBehaviour behaviour);

  MovingLink& link() { return link_; }
  std::uint64_t prepares() const { return prepares_; }

 private:
  void on_frame(BtpLink& link, const wire::BtpFrame& frame) override;
  void on_down(BtpLink&, const std::string&) override {}
  void answer(const wire::Prepare& prepare);

  ReceiverBehaviour behaviour_;
  MovingLink link_;
  std::uint64_t prepares_ = 0;
  std::vector<std::uint8_t> packet_;
};

}  // namespace slipway::bench
