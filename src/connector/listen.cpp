#include "connector/listen.hpp"

#include "net/await.hpp"
#include "net/url.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

namespace slipway::connector {

namespace asio = boost::asio;
using asio::ip::tcp;

Result<std::uint16_t> listen_on(tcp::acceptor& acceptor, const Endpoint& endpoint) {
  const std::string name = net::authority(endpoint.host, endpoint.port);
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(endpoint.host, failed);
  if (failed) {
    return Error{ErrorKind::usage, fmt::format("listening on {}: not an IP address", name), {}};
  }
  const tcp::endpoint local(address, endpoint.port);
  acceptor.open(local.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(local, failed);
  if (!failed) acceptor.listen(1024, failed);
  if (failed) {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    return Error{ErrorKind::io, fmt::format("listening on {}: {}", name, failed.message()),
                 "stop what uses the port, or configure another"};
  }
  return acceptor.local_endpoint(failed).port();
}

asio::awaitable<void> accept_each(tcp::acceptor& acceptor,
                                  std::function<void(tcp::socket)> accepted) {
  while (acceptor.is_open()) {
    auto [failed, socket] = co_await acceptor.async_accept(net::await_tuple);
    if (!failed) {
      accepted(std::move(socket));
    } else if (failed != asio::error::operation_aborted &&
               failed != asio::error::connection_aborted) {
      asio::steady_timer pause(acceptor.get_executor(), std::chrono::milliseconds(50));
      co_await pause.async_wait(net::await_tuple);
    }
  }
}

asio::ip::address remote_address(const tcp::socket& socket) {
  boost::system::error_code failed;
  return socket.remote_endpoint(failed).address();
}

void spawn(const asio::any_io_executor& executor, asio::awaitable<void> coroutine) {
  asio::co_spawn(executor, std::move(coroutine), [](const std::exception_ptr& escaped) {
    if (escaped) std::rethrow_exception(escaped);
  });
}

}  // namespace slipway::connector
