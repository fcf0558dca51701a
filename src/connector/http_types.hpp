#pragma once

#include <cstdint>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>

namespace slipway::connector {

inline constexpr auto await_tuple = boost::asio::as_tuple(boost::asio::use_awaitable);

// Packets as bodies.
using PacketBody = boost::beast::http::vector_body<std::uint8_t>;
using PacketRequest = boost::beast::http::request<PacketBody>;
using PacketRequestParser = boost::beast::http::request_parser<PacketBody>;

inline constexpr std::size_t max_http_header = std::size_t{8} * 1024;
inline constexpr std::size_t max_http_body = std::size_t{64} * 1024;

}  // namespace slipway::connector
