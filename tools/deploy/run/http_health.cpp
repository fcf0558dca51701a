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

Result<HealthAnswer> ask_pages(const Endpoint& endpoint, const service::Service& service) {
  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds timeout = service.proof.timeout;
  const auto health = get(endpoint, service.health, timeout, largest_health);
  if (!health) return health.error();
  HealthAnswer answer = parse_health(health->status, health->body);
  answer.ready = health->status == 200;
  answer.ready_status = health->status;
  if (service.ready == service.health) return answer;
  const auto left = timeout - (std::chrono::steady_clock::now() - begin);
  if (left <= std::chrono::nanoseconds::zero()) {
    return Error{ErrorKind::timeout,
                 fmt::format("{} used up the time for {}", service.health, service.ready),
                 {}};
  }
  const auto ready = get(endpoint, service.ready, left, largest_health);
  if (!ready) return ready.error();
  answer.ready = ready->status == 200;
  answer.ready_status = ready->status;
  if (!answer.ready) answer.ready_said = ready->body.substr(0, most_said);
  return answer;
}

}  // namespace

// A colour is as good as the worst of its instances.
Result<HealthAnswer> HttpHealth::ask(Colour colour, const service::Service& service) {
  const auto endpoints = engine_.endpoints(colour, service.port);
  if (!endpoints) return endpoints.error();
  std::optional<HealthAnswer> all;
  for (const Endpoint& endpoint : *endpoints) {
    auto answer = ask_pages(endpoint, service);
    if (answer && !shows_words_) answer->said = answer->ready_said = std::string();
    if (!answer || answer->status != 200 || !answer->ready) return answer;
    if (all && answer->release_id != all->release_id) {
      answer->release_id = all->release_id + " and " + answer->release_id;
      return answer;
    }
    if (!all || answer->role != all->role) all = std::move(*answer);
  }
  return std::move(*all);
}

Result<std::vector<std::string>> HttpHealth::metrics(Colour colour,
                                                     const service::Service& service) {
  const std::string& path = service.bake.metrics;
  const auto endpoints = engine_.endpoints(colour, service.port);
  if (!endpoints) return endpoints.error();
  std::vector<std::string> pages;
  for (const Endpoint& endpoint : *endpoints) {
    auto answer = get(endpoint, path, service.proof.timeout, largest_metrics);
    if (!answer) return answer.error();
    if (answer->status != 200) {
      return Error{ErrorKind::protocol, fmt::format("{} answered {}", path, answer->status), {}};
    }
    pages.push_back(std::move(answer->body));
  }
  return pages;
}

}  // namespace slipway::deploy
