#pragma once

#include "base/error.hpp"
#include "connector/config.hpp"

#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace slipway::connector {

struct HttpAnswer {
  unsigned status;
  std::string content_type;
  std::string body;
};

// The small HTTP server of the operators' port: GET and HEAD, answered by `answer(path)`. Bounded:
// 64 connections, 5 s a request.
class HealthServer {
 public:
  using Answer = std::function<HttpAnswer(std::string_view path)>;

  HealthServer(boost::asio::io_context& io, Answer answer);

  Result<void> start(const Endpoint& endpoint);
  void stop();
  std::uint16_t port() const { return port_; }

 private:
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Answer answer_;
  std::uint16_t port_ = 0;
  std::uint32_t connections_ = 0;
};

}  // namespace slipway::connector
