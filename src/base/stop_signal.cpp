#include "base/stop_signal.hpp"

#include "base/command_line.hpp"

#include <csignal>
#include <cstdlib>

#include <boost/asio/signal_set.hpp>

namespace slipway {

StopOnSignal::StopOnSignal() {
  auto signals = std::make_shared<boost::asio::signal_set>(io_, SIGINT, SIGTERM);
  signals->async_wait([this, signals](boost::system::error_code failed, int number) {
    if (failed) return;
    signal_number_ = number;
    signals->async_wait([signals](boost::system::error_code failed_again, int) {
      if (!failed_again) std::_Exit(exit_interrupted);
    });
    source_.request_stop();
  });
  thread_ = std::thread([this] { io_.run(); });
}

StopOnSignal::~StopOnSignal() {
  io_.stop();
  thread_.join();
}

}  // namespace slipway
