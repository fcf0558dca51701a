#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// The client's side of WebSocket's opening handshake (RFC 6455), without I/O. The frames after it
// are src/wire's.
namespace slipway::bench::websocket {

// The HTTP request that opens the connection, and the Sec-WebSocket-Accept that must answer `key`
// (base64 of 16 random bytes).
std::string upgrade_request(std::string_view authority, std::string_view path,
                            std::string_view key);
std::string make_key(std::uint64_t high, std::uint64_t low);
std::string accept_for(std::string_view key);

// Whether a response head ("HTTP/1.1 ..." up to the empty line) accepts the upgrade for `key`;
// otherwise why not.
std::string upgrade_refusal(std::string_view head, std::string_view key);

}  // namespace slipway::bench::websocket
