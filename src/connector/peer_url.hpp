#pragma once

#include "base/error.hpp"
#include "connector/config.hpp"

#include <string_view>

namespace slipway::connector {

// `scheme://user:token@host:port/path`; user, token, port (80) and path ("/") may be absent, and
// percent-escapes in user and token stand for what they mean.
// The error (`usage`) says what is wrong without repeating the token.
Result<PeerUrl> parse_peer_url(std::string_view text, std::string_view scheme);

}  // namespace slipway::connector
