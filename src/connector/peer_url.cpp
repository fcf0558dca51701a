#include "connector/peer_url.hpp"

#include <charconv>

#include <fmt/core.h>

namespace slipway::connector {

Result<PeerUrl> parse_peer_url(std::string_view url, std::string_view scheme) {
  const auto refused = [&](std::string_view why) {
    return Error{ErrorKind::usage, fmt::format("the URL {}", why),
                 fmt::format("write {}://:TOKEN@HOST:PORT/PATH", scheme)};
  };
  if (!url.starts_with(scheme) || !url.substr(scheme.size()).starts_with("://")) {
    return refused(fmt::format("does not begin with {}://", scheme));
  }
  std::string_view rest = url.substr(scheme.size() + 3);
  PeerUrl peer;
  peer.port = 80;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    peer.path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = rest.substr(0, at);
    const std::size_t colon = credentials.find(':');
    peer.user = credentials.substr(0, colon);
    if (colon != std::string_view::npos) peer.token = credentials.substr(colon + 1);
    rest = rest.substr(at + 1);
  }
  if (const std::size_t colon = rest.rfind(':');
      colon != std::string_view::npos && !rest.ends_with(']')) {
    const std::string_view digits = rest.substr(colon + 1);
    const char* begin = digits.data();
    const char* end = begin + digits.size();
    const auto [stop, failed] = std::from_chars(begin, end, peer.port);
    if (failed != std::errc{} || stop != end || peer.port == 0) {
      return refused("has a port that is not a number from 1 to 65535");
    }
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) return refused("has no host");
  peer.host = rest;
  return peer;
}

}  // namespace slipway::connector
