#pragma once

#include "connector/hub.hpp"

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace slipway::connector {

class BtpConnection;

// Keeps one account's outgoing BTP connection up: dials, serves it, and dials again after a pause
// that doubles with every failure up to ten seconds, with jitter so that many do not come at once.
class BtpDialer {
 public:
  BtpDialer(Hub& hub, AccountIndex account);

  void start();
  // No more dialling; a connection that is up is closed by who asks for this.
  void stop();

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<bool> serve_once();
  std::chrono::milliseconds pause_after(int failures);

  Hub& hub_;
  AccountIndex account_;
  boost::asio::steady_timer pause_;
  bool wanted_ = false;
  bool running_ = false;
};

}  // namespace slipway::connector
