#include "net/url.hpp"

#include <boost/url/parse.hpp>
#include <fmt/core.h>

namespace slipway::net {

Result<Url> parse_url(std::string_view text) {
  const auto refused = [](std::string why) { return Error{ErrorKind::usage, std::move(why), {}}; };
  if (text.find("://") == std::string_view::npos) return refused("it has no scheme");
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return refused(parsed.error().message());
  Url url;
  url.scheme = parsed->scheme();
  url.user = parsed->user();
  url.password = parsed->password();
  url.host = parsed->host_address();
  if (url.host.empty()) return refused("it has no host");
  if (parsed->has_port()) {
    url.port = parsed->port_number();
    if (url.port == 0) return refused("its port is not a number from 1 to 65535");
  }
  url.target = parsed->encoded_target();
  if (url.target.empty() || url.target.front() == '?') url.target.insert(0, "/");
  // Boost 1.81 takes "host:12x" for port 12 and a path.
  if (url.target.front() != '/') return refused("its port is not a number from 1 to 65535");
  return url;
}

std::string authority(const std::string& host, std::uint16_t port, std::uint16_t own_port) {
  const bool bracketed = host.find(':') != std::string::npos;
  std::string text = bracketed ? fmt::format("[{}]", host) : host;
  if (port != own_port) text += fmt::format(":{}", port);
  return text;
}

}  // namespace slipway::net
