#include "deploy/haproxy/haproxy_file.hpp"

#include "deploy/state/compose_file.hpp"

#include <fstream>
#include <set>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::string_view head =
    R"(# HAProxy in front of two colours of a service, as deploy made it when it first brought HAProxy up.
# Which colour gets what is new is decided by one line of active.map, which deploy writes durably and
# then sets on the runtime socket; a restart reads the same file. Never reload inside a deploy: an old
# worker's sockets are out of reach.
global
  log stdout format raw local0 notice
  stats socket /run/slipway/haproxy.sock mode 600 level admin
  stats timeout 30s
  # The number of connections follows from the limit of open files, up to this many files.
  fd-hard-limit 50000
  hard-stop-after 60s
)";

constexpr std::string_view defaults = R"(
defaults
  log global
  option dontlognull
  timeout connect 2s
  # Sockets may live for days and be silent for hours; dead peers are found by TCP keep-alive.
  option clitcpka
  option srvtcpka
  timeout client 24h
  timeout server 24h
  timeout tunnel 24h
  timeout client-fin 10s
  timeout server-fin 10s

# The servers have no checks of their own: which colour serves is deploy's decision, and a check
# that takes a colour away in the middle of a flip would fight it.
)";

constexpr std::string_view http_limits = R"(  timeout client 60s
  timeout http-request 5s
  timeout http-keep-alive 10s
)";

// HAProxy's own exporter: of what it counted for users, nothing that it could be told.
std::string metrics_frontend(std::uint16_t port) {
  if (port == 0) return {};
  return fmt::format(R"(
frontend metrics
  mode http
  bind 127.0.0.1:{}
  timeout client 10s
  timeout http-request 5s
  http-request use-service prometheus-exporter if {{ path /metrics }}
  http-request return status 404
)",
                     port);
}

// A frontend and its two backends.
struct Route {
  std::string name;  // also the mode's: http, tcp_4000
  std::string_view mode;
  std::set<std::uint16_t> published;
  std::uint16_t blue;
  std::uint16_t green;
  bool v6;
};

// Where the kernel has no IPv6 HAProxy would not start with it.
bool has_v6() {
  return std::ifstream("/proc/net/if_inet6").peek() != std::ifstream::traits_type::eof();
}

std::string text_of(const Config& config, const Route& route) {
  const bool http = route.mode == "http";
  std::string text = fmt::format("\nfrontend {}\n  mode {}\n", route.name, route.mode);
  for (const std::uint16_t port : route.published) {
    text += fmt::format("  bind :{}\n", port);
    if (route.v6) text += fmt::format("  bind [::]:{} v6only\n", port);
  }
  text +=
      fmt::format("{}  use_backend {}_%[str(active),map(/var/lib/slipway-proxy/active.map,none)]\n",
                  http ? http_limits : "", route.name);
  for (const Colour colour : {Colour::blue, Colour::green}) {
    text +=
        fmt::format("\nbackend {0}_{1}\n  mode {2}\n{3}  server {1} {4}:{5}\n", route.name,
                    to_string(colour), route.mode, http ? "  timeout server 60s\n" : "",
                    address_of(config, colour), colour == Colour::blue ? route.blue : route.green);
  }
  return text + fmt::format("\nbackend {}_none\n  mode {}\n", route.name, route.mode);
}

}  // namespace

std::string address_of(const Config& config, Colour colour) {
  return config.subnet_prefix + (colour == Colour::blue ? ".10" : ".11");
}

std::string haproxy_file(const Config& config, const Services& services) {
  const auto& [blue, green] = services;
  std::string text(head);
  if (is_reached_on_low_port(config, blue) || is_reached_on_low_port(config, green)) {
    text += "  # It listens as root, on ports that others may not have, and serves as nobody.\n";
    text += "  uid 10001\n  gid 10001\n";
  }
  text += defaults;
  // Where the two answer on different ports, users find whichever serves on both.
  text += text_of(config, {"http",
                           "http",
                           {config.published(blue.port), config.published(green.port)},
                           blue.port,
                           green.port,
                           has_v6()});
  std::set<std::uint16_t> further(blue.tcp.begin(), blue.tcp.end());
  further.insert(green.tcp.begin(), green.tcp.end());
  for (const std::uint16_t port : further) {
    text += text_of(
        config,
        {fmt::format("tcp_{}", port), "tcp", {config.published(port)}, port, port, has_v6()});
  }
  text += metrics_frontend(config.haproxy_metrics_port);
  return text;
}

}  // namespace slipway::deploy
