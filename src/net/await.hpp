#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace slipway::net {

// co_await that returns the error code first and throws nothing.
inline constexpr auto await_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace slipway::net
