#pragma once

#include "packet_bench/target/moving_link.hpp"
#include "packet_bench/target/scheme.hpp"

namespace slipway::bench {

extern const Scheme btp_scheme;

// Prepares over BTP: many in flight on one connection, matched by request id.
class BtpChannel final : public Channel, private BtpLinkEvents {
 public:
  explicit BtpChannel(const ChannelParts& parts);

  bool up() const override { return link_.ready(); }
  bool needs_tick() const override { return link_.needs_tick(); }
  bool can_send() const override;
  std::uint8_t link() const override { return link_.number(); }
  void send(std::uint32_t ticket, std::uint64_t number, wire::Timestamp expires_at) override;
  void flush() override { link_.flush(); }
  void tick(TimePoint now) override { link_.tick(now); }
  void close() override { link_.close(); }
  const std::string& failure() const override { return link_.failure(); }
  std::uint64_t times_up() const override { return link_.times_up(); }

 private:
  void on_frame(BtpLink& link, const wire::BtpFrame& frame) override;
  void on_down(BtpLink& link, const std::string& why) override;
  void on_input(BtpLink& link) override;
  void on_up(BtpLink& link) override;

  PrepareTemplate& prepare_;
  std::uint64_t seed_;
  ChannelEvents& events_;
  MovingLink link_;
};

}  // namespace slipway::bench
