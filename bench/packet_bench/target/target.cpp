#include "packet_bench/target/target.hpp"

#include "net/url.hpp"
#include "packet_bench/target/scheme.hpp"

#include <fmt/core.h>

namespace slipway::bench {
namespace {

Error refused(std::string_view text, std::string_view why) {
  return {ErrorKind::usage, fmt::format("'{}' is not a target: {}", text, why),
          "write embedded, btp+ws://:TOKEN@host:port/, ilp+http://:TOKEN@host:port/path or "
          "http://host:port/path"};
}

}  // namespace

std::string Target::text() const {
  if (is_embedded()) return "embedded";
  return fmt::format("{}://{}{}", tls ? scheme->tls_name : scheme->name, net::authority(host, port),
                     path);
}

Result<Target> parse_target(std::string_view text) {
  if (text == "embedded") return Target{};
  const std::size_t separator = text.find("://");
  if (separator == std::string_view::npos) return refused(text, "it has no scheme");
  // The text may hold a token, so errors show the scheme only.
  const std::string_view name = text.substr(0, separator);
  const std::string shown = fmt::format("{}://...", name);
  Target target;
  for (const Scheme* each : schemes()) {
    if (name == each->name || name == each->tls_name) {
      target.scheme = each;
      target.tls = name == each->tls_name;
    }
  }
  if (target.scheme == nullptr) return refused(shown, "the scheme is not known");
  auto url = net::parse_url(text);
  if (!url) return refused(shown, url.error().what);
  target.host = std::move(url->host);
  target.port = url->port != 0 ? url->port : target.tls ? 443 : 80;
  target.path = std::move(url->target);
  target.username = std::move(url->user);
  target.token = std::move(url->password);
  return target;
}

std::string host_field(const Target& target) {
  return net::authority(target.host, target.port, target.tls ? 443 : 80);
}

std::string target_help() {
  std::string text = "embedded";
  std::string with_tls;
  for (const Scheme* each : schemes()) {
    text += fmt::format(", {}", each->example);
    with_tls += fmt::format("{}{}", with_tls.empty() ? "" : ", ", each->tls_name);
  }
  return fmt::format("{}, or with TLS {}", text, with_tls);
}

}  // namespace slipway::bench
