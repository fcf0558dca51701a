#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::connector {

// Where and as whom this connector dials a peer; `scheme://user:token@host:port/path` in JSON.
struct PeerUrl {
  std::string host;
  std::uint16_t port = 0;
  std::string path = "/";
  std::string user;
  std::string token;
  std::string callback_url;  // HTTP only: ours, where the peer may POST its answers
};

// `scheme://user:token@host:port/path`; user, token, port (80) and path ("/") may be absent, and
// percent-escapes in user and token stand for what they mean.
// The error (`usage`) says what is wrong without repeating the token.
Result<PeerUrl> parse_peer_url(std::string_view text, std::string_view scheme);

}  // namespace slipway::connector
