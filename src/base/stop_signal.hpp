#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

#include <boost/asio/io_context.hpp>

namespace slipway {

// Turns SIGINT and SIGTERM into one cancellation: the first signal requests a stop, a second one
// of either kind ends the process at once with status 130. Construct it in main before any other
// thread; one owner per process. Children are not affected: an exec resets the handlers.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  // The signal that requested the stop, or 0.
  int signal_number() const { return signal_number_.load(); }

 private:
  std::stop_source source_;
  std::atomic<int> signal_number_{0};
  boost::asio::io_context io_{1};
  std::thread thread_;
};

}  // namespace slipway
