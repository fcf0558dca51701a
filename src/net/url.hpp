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

// Host and port as a URL and a Host field have them: IPv6 in brackets (RFC 3986, 3.2.2), without
// the port where it is the scheme's own.
std::string authority(const std::string& host, std::uint16_t port, std::uint16_t own_port = 0);

}  // namespace slipway::net
