#pragma once

#include "connector/http_keep_alive.hpp"
#include "connector/hub.hpp"
#include "net/http_stream.hpp"

#include <functional>
#include <string_view>

#include <boost/asio/awaitable.hpp>

namespace slipway::connector {

// Serves ILP-over-HTTP (RFC 0035) on a connection whose first request header has been read: POST
// of a Prepare with a bearer token, answered with the packet (synchronously), or with 202 and a
// later POST to `Callback-Url`. Also takes such later POSTs for what we sent. `authenticated` is
// called at the first valid token. The connection ends with an answer while `keep_alive` is ending.
boost::asio::awaitable<void> serve_ilp_over_http(Hub& hub, net::HttpStream& stream,
                                                 std::string_view remote, HttpKeepAlive& keep_alive,
                                                 std::function<void()> authenticated);

// Counts and logs why a request or a handshake from `remote` could not be read; a peer that just
// went away without a word (a port check) is not worth a line.
void report_unreadable_request(Hub& hub, std::string_view remote, boost::system::error_code why);

}  // namespace slipway::connector
