#include "packet_bench/target/target.hpp"

#include <array>
#include <charconv>
#include <optional>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

struct Scheme {
  std::string_view name;
  TargetKind kind;
  bool tls;
};

constexpr std::array schemes{Scheme{"btp+ws", TargetKind::btp_ws, false},
                             Scheme{"btp+wss", TargetKind::btp_ws, true},
                             Scheme{"ilp+http", TargetKind::ilp_http, false},
                             Scheme{"ilp+https", TargetKind::ilp_http, true},
                             Scheme{"http", TargetKind::http, false},
                             Scheme{"https", TargetKind::http, true}};

Error refused(std::string_view text, std::string_view why) {
  return {ErrorKind::usage, fmt::format("'{}' is not a target: {}", text, why),
          "write embedded, btp+ws://:TOKEN@host:port/, ilp+http://:TOKEN@host:port/path or "
          "http://host:port/path"};
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 3 > text.size()) return std::nullopt;
    unsigned value = 0;
    const char* const begin = text.data() + i + 1;
    const auto [end, failed] = std::from_chars(begin, begin + 2, value, 16);
    if (failed != std::errc{} || end != begin + 2) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

// Splits "host[:port]" or "[v6][:port]"; false when the port is no port or the host is empty.
bool split_authority(std::string_view authority, Target& target) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    target.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const std::size_t colon = authority.find(':');
    target.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? "" : authority.substr(colon);
  }
  if (target.host.empty()) return false;
  if (port.empty()) {
    target.port = target.tls ? 443 : 80;
    return true;
  }
  if (port.front() != ':') return false;
  port.remove_prefix(1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), target.port);
  return failed == std::errc{} && end == port.data() + port.size() && target.port != 0;
}

}  // namespace

std::string Target::text() const {
  if (kind == TargetKind::embedded) return "embedded";
  std::string_view scheme;
  for (const Scheme& known : schemes) {
    if (known.kind == kind && known.tls == tls) scheme = known.name;
  }
  const bool bracketed = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}{}", scheme, bracketed ? "[" : "", host, bracketed ? "]" : "",
                     port, path);
}

Result<Target> parse_target(std::string_view text) {
  if (text == "embedded") return Target{};
  const std::size_t separator = text.find("://");
  if (separator == std::string_view::npos) return refused(text, "it has no scheme");
  // From here on the text may hold a token, so errors show the scheme only.
  const std::string_view scheme = text.substr(0, separator);
  Target target;
  bool known = false;
  for (const Scheme& candidate : schemes) {
    if (candidate.name != scheme) continue;
    known = true;
    target.kind = candidate.kind;
    target.tls = candidate.tls;
  }
  const std::string shown = fmt::format("{}://...", scheme);
  if (!known) return refused(shown, "the scheme is not known");

  std::string_view rest = text.substr(separator + 3);
  const std::size_t slash = rest.find_first_of("/?");
  if (slash != std::string_view::npos) {
    target.path = rest.substr(slash);
    if (target.path.front() == '?') target.path.insert(0, "/");
    rest = rest.substr(0, slash);
  }
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view user_info = rest.substr(0, at);
    const std::size_t colon = user_info.find(':');
    const auto username = percent_decoded(user_info.substr(0, colon));
    const auto token = percent_decoded(
        colon == std::string_view::npos ? std::string_view{} : user_info.substr(colon + 1));
    if (!username || !token) return refused(shown, "a percent sign in the token is not an escape");
    target.username = *username;
    target.token = *token;
    rest = rest.substr(at + 1);
  }
  if (!split_authority(rest, target)) return refused(shown, "host or port is wrong");
  for (const char c : target.host + target.path) {
    if (static_cast<unsigned char>(c) <= ' ') return refused(shown, "it holds a blank");
  }
  return target;
}

}  // namespace slipway::bench
