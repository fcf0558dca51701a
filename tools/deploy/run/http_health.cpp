#include "deploy/run/http_health.hpp"

#include "net/http_client.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::size_t largest_health = std::size_t{64} << 10;
constexpr std::size_t largest_metrics = std::size_t{4} << 20;

Result<net::HttpAnswer> get(const Endpoint& endpoint, const std::string& path,
                            std::chrono::nanoseconds timeout, std::size_t limit) {
  return net::http_request({.unix_socket = endpoint.unix_socket,
                            .host = endpoint.host,
                            .port = endpoint.port,
                            .target = endpoint.prefix + path,
                            .deadline = timeout,
                            .body_limit = limit});
}

}  // namespace

Result<HealthAnswer> HttpHealth::ask(Colour colour, std::chrono::nanoseconds timeout) {
  const auto begin = std::chrono::steady_clock::now();
  const auto endpoint = engine_.endpoint(colour);
  if (!endpoint) return endpoint.error();
  const auto health = get(*endpoint, "/health", timeout, largest_health);
  if (!health) return health.error();
  HealthAnswer answer = parse_health(health->status, health->body);
  const auto left = timeout - (std::chrono::steady_clock::now() - begin);
  if (left <= std::chrono::nanoseconds::zero()) {
    return Error{ErrorKind::timeout, "/health used up the time for /health/ready", {}};
  }
  const auto ready = get(*endpoint, "/health/ready", left, largest_health);
  if (!ready) return ready.error();
  answer.ready = ready->status == 200;
  return answer;
}

Result<std::string> HttpHealth::metrics(Colour colour, std::chrono::nanoseconds timeout) {
  const auto endpoint = engine_.endpoint(colour);
  if (!endpoint) return endpoint.error();
  auto answer = get(*endpoint, "/metrics", timeout, largest_metrics);
  if (!answer) return answer.error();
  if (answer->status != 200) {
    return Error{ErrorKind::protocol, fmt::format("/metrics answered {}", answer->status), {}};
  }
  return std::move(answer->body);
}

}  // namespace slipway::deploy
