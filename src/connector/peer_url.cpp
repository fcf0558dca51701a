#include "connector/peer_url.hpp"

#include "net/url.hpp"

#include <fmt/core.h>

namespace slipway::connector {

Result<PeerUrl> parse_peer_url(std::string_view text, std::string_view scheme) {
  const auto refused = [&](std::string_view why) {
    return Error{ErrorKind::usage, fmt::format("the URL cannot be used: {}", why),
                 fmt::format("write {}://:TOKEN@HOST:PORT/PATH", scheme)};
  };
  auto url = net::parse_url(text);
  if (!url) return refused(url.error().what);
  if (url->scheme != scheme) return refused(fmt::format("it does not begin with {}://", scheme));
  PeerUrl peer;
  peer.host = std::move(url->host);
  peer.port = url->port == 0 ? 80 : url->port;
  peer.path = std::move(url->target);
  peer.user = std::move(url->user);
  peer.token = std::move(url->password);
  return peer;
}

}  // namespace slipway::connector
