#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::net {

// scheme://user:password@host:port/path?query (RFC 3986).
struct Url {
  std::string scheme;
  std::string user;  // user and password without percent-escapes
  std::string password;
  std::string host;          // a name or an address, IPv6 without brackets; never empty
  std::uint16_t port = 0;    // 0: none was given
  std::string target = "/";  // path and query, as written
};

// The error (`usage`) says what is wrong without repeating any of the text, which may hold a
// secret.
Result<Url> parse_url(std::string_view text);

}  // namespace slipway::net
