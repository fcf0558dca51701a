#pragma once

#include "connector/admission.hpp"
#include "connector/http_keep_alive.hpp"
#include "connector/hub.hpp"

#include <cstdint>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace slipway::connector {

// The port that peers come to: BTP over WebSocket, and ILP-over-HTTP for a request that asks for no
// upgrade. Can stop accepting and start again on the same port.
class Listener {
 public:
  explicit Listener(Hub& hub);

  // Binds and listens; an error names the address. After stop() it takes the same port again.
  Result<void> start();
  // Accepts no more; what is kept alive between requests ends with its next answer.
  void stop();
  // After stop(): ends so many of what waits for another request; how many.
  std::size_t close_idle(std::size_t at_most) { return keep_alive_.close_idle(at_most); }
  // Whether a connection of ILP-over-HTTP waits for another request.
  bool has_idle() const { return keep_alive_.has_idle(); }
  bool listening() const { return acceptor_.is_open(); }
  std::uint16_t port() const { return port_; }

 private:
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

  Hub& hub_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Admission admission_;
  HttpKeepAlive keep_alive_;
  std::uint32_t maximum_connections_;
  std::uint16_t port_;
  std::uint32_t connections_ = 0;
};

}  // namespace slipway::connector
