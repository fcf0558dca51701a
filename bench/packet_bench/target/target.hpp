#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::bench {

struct Scheme;

// Where packets are sent, or where the receiver listens. `embedded` has no address: the run starts
// the connector itself and fills one in.
struct Target {
  const Scheme* scheme = nullptr;  // see scheme.hpp; none: embedded
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string path = "/";  // with the query
  std::string username;
  std::string token;              // never printed
  bool understands_drain = true;  // BTP: and says so (wire/btp_drain.hpp)

  bool is_embedded() const { return scheme == nullptr; }

  // As the user wrote it, without the token.
  std::string text() const;
};

// `embedded`, `btp+ws://[USER]:TOKEN@host[:port][/path]`, `ilp+http://[:TOKEN@]host...`,
// `http://host...`, and each with TLS: `btp+wss`, `ilp+https`, `https`. The token is
// percent-decoded. An error (`usage`) names the part that was wrong.
Result<Target> parse_target(std::string_view text);

// What its requests say in their Host field (RFC 9110, 7.2).
std::string host_field(const Target& target);

// What a target may be, for a flag's help.
std::string target_help();

}  // namespace slipway::bench
