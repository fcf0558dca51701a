#include "connector/btp_dialer.hpp"

#include "connector/btp_connection.hpp"
#include "connector/listen.hpp"
#include "net/await.hpp"
#include "net/http_stream.hpp"
#include "net/url.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{10'000};
// A connection that lived this long was a good one: the next failure starts the count anew.
constexpr auto good_connection = std::chrono::seconds(5);

}  // namespace

BtpDialer::BtpDialer(Hub& hub, AccountIndex account)
    : hub_(hub), account_(account), pause_(hub.io) {}

void BtpDialer::start() {
  wanted_ = true;
  if (running_) return;
  running_ = true;
  spawn(hub_.io.get_executor(), run());
}

void BtpDialer::stop() {
  wanted_ = false;
  pause_.cancel();
}

asio::awaitable<void> BtpDialer::run() {
  for (int failures = 0; wanted_;) {
    const auto before = std::chrono::steady_clock::now();
    bool succeeded = false;
    co_await serve_once(succeeded);
    if (succeeded) co_return;
    if (!wanted_) break;
    failures = std::chrono::steady_clock::now() - before > good_connection ? 0 : failures + 1;
    pause_.expires_after(pause_after(failures));
    co_await pause_.async_wait(net::await_tuple);
  }
  running_ = false;
}

std::chrono::milliseconds BtpDialer::pause_after(int failures) {
  const auto doubled = first_pause * (1 << std::clamp(failures - 1, 0, 10));
  const auto pause = std::min(doubled, longest_pause);
  return pause / 2 + std::chrono::milliseconds(hub_.next_mask() % (pause.count() / 2 + 1));
}

// `succeeded`: another one has taken over the dialling.
asio::awaitable<void> BtpDialer::serve_once(bool& succeeded) {
  const AccountConfig& config = hub_.config.accounts[account_];
  const PeerUrl& peer = *config.btp;
  const auto failed_to = [&](std::string_view doing, const boost::system::error_code& why) {
    const std::string reason = fmt::format("{}: {}", doing, why.message());
    hub_.log.write_limited(LogLevel::warn, "btp_dial_failed", config.id,
                           {{"account", config.id}, {"peer", peer.host}, {"reason", reason}});
  };
  net::HttpStream stream(hub_.io.get_executor());
  stream.expires_after(hub_.config.limits.handshake_timeout);
  if (const auto failed = co_await stream.connect(peer.host, peer.port)) {
    failed_to("connecting", failed);
    co_return;
  }
  const std::string host = net::authority(peer.host, peer.port);
  if (const auto refused = co_await stream.shake_websocket_hands(host, peer.path)) {
    failed_to("the WebSocket handshake", refused);
    co_return;
  }
  const auto drains = [this, &succeeded] {
    if (!wanted_) return;
    succeeded = true;
    spawn(hub_.io.get_executor(), run());
  };
  const auto connection = BtpConnection::dialled(hub_, stream.release(), account_, peer, drains);
  if (wanted_) co_await connection->run();
}

}  // namespace slipway::connector
