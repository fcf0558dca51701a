#pragma once

#include "base/error.hpp"
#include "connector/config.hpp"

#include <string_view>

namespace slipway::connector {

// Splits `scheme://user:token@host:port/path`; user, token, port (80) and path ("/") may be absent.
// The error (`usage`) says what is wrong without repeating the token.
Result<PeerUrl> parse_peer_url(std::string_view url, std::string_view scheme);

}  // namespace slipway::connector
