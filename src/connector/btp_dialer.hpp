#pragma once

#include "connector/hub.hpp"

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

class BtpConnection;

// Keeps one account's outgoing BTP connection up: dials, serves it, and dials again after a pause
// that doubles with every failure up to ten seconds, with jitter so that many do not come at once.
// When the peer says that it is being replaced the next connection is dialled beside the one that
// is up, which ends by itself.
class BtpDialer {
 public:
  BtpDialer(Hub& hub, AccountIndex account);

  void start();
  // No more dialling; a connection that is up is closed by who asks for this.
  void stop();

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> serve_once(bool& succeeded);
  std::chrono::milliseconds pause_after(int failures);

  Hub& hub_;
  AccountIndex account_;
  boost::asio::steady_timer pause_;
  bool wanted_ = false;
  bool running_ = false;
};

}  // namespace slipway::connector
