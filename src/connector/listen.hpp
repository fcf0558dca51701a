#pragma once

#include "base/error.hpp"
#include "connector/config.hpp"

#include <functional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace slipway::connector {

// Opens `acceptor` on the endpoint; returns the port, which is a free one where 0 was asked for.
Result<std::uint16_t> listen_on(boost::asio::ip::tcp::acceptor& acceptor, const Endpoint& endpoint);

// Accepts until the acceptor is closed. Waits a little when the process has no descriptor left.
boost::asio::awaitable<void> accept_each(
    boost::asio::ip::tcp::acceptor& acceptor,
    std::function<void(boost::asio::ip::tcp::socket)> accepted);

// The peer's address; unspecified once it is gone.
boost::asio::ip::address remote_address(const boost::asio::ip::tcp::socket& socket);

// Runs a coroutine by itself; an exception that escapes it ends the process with its message: it is
// a bug, and a connector that has lost a part of itself must not go on as if it were whole.
void spawn(const boost::asio::any_io_executor& executor, boost::asio::awaitable<void> coroutine);

}  // namespace slipway::connector
