#include "connector/hub.hpp"

#include "base/random.hpp"
#include "connector/btp_connection.hpp"

#include <random>

#include <boost/asio/post.hpp>

namespace slipway::connector {

namespace asio = boost::asio;

Hub::Hub(asio::io_context& context, const Config& configured, Log& logger)
    : io(context),
      config(configured),
      log(logger),
      forwarder(config, links, Now::read()),
      books(
          io, config, forwarder, log, [this] { round_done(); }, open_ledger(config)),
      traces(io, config, forwarder, log),
      tokens(config),
      expiry_(io),
      sweep_(io) {
  mask_state_ = random_seed();
  arm_sweep();
}

void Hub::flush_later(std::shared_ptr<BtpConnection> connection) {
  if (to_flush_.empty()) {
    asio::post(io, [this] { flush_all(); });
  }
  to_flush_.push_back(std::move(connection));
}

void Hub::flush_all() {
  if (before_flush_) before_flush_();
  std::swap(to_flush_, flushing_);
  for (const auto& connection : flushing_) connection->flush();
  flushing_.clear();
}

void Hub::round_done() {
  books.after_round();
  if (forwarder.in_flight() > 0) {
    if (!expiry_armed_) arm_expiry();
  } else if (when_idle_) {
    // After the flush that was posted before it.
    asio::post(io, std::exchange(when_idle_, nullptr));
  }
}

void Hub::when_idle(std::function<void()> call) {
  when_idle_ = std::move(call);
  round_done();
}

void Hub::arm_expiry() {
  expiry_armed_ = true;
  expiry_.expires_after(PendingTable::resolution);
  expiry_.async_wait([this](boost::system::error_code failed) {
    expiry_armed_ = false;
    if (failed) return;
    forwarder.expire(Now::read());
    round_done();
  });
}

void Hub::arm_sweep() {
  sweep_.expires_after(std::chrono::seconds(1));
  sweep_.async_wait([this](boost::system::error_code failed) {
    if (failed) return;
    const auto now = std::chrono::steady_clock::now();
    const std::vector all(connections_.begin(), connections_.end());
    for (const auto& connection : all) connection->check_deadlines(now);
    arm_sweep();
  });
}

void Hub::add(const std::shared_ptr<BtpConnection>& connection) {
  connections_.insert(connection);
}

void Hub::remove(const std::shared_ptr<BtpConnection>& connection) {
  connections_.erase(connection);
}

std::uint32_t Hub::next_mask() {
  // xorshift64*, as in Vigna, "An experimental exploration of Marsaglia's xorshift generators".
  mask_state_ ^= mask_state_ >> 12;
  mask_state_ ^= mask_state_ << 25;
  mask_state_ ^= mask_state_ >> 27;
  return static_cast<std::uint32_t>(mask_state_ * 0x2545f4914f6cdd1d >> 32);
}

void Hub::count_refusal(std::string_view reason) {
  const auto found = refusals.find(reason);
  if (found != refusals.end()) {
    ++found->second;
  } else {
    refusals.emplace(reason, 1);
  }
}

}  // namespace slipway::connector
