#include "deploy/docker/http_health.hpp"

#include "net/http_client.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace slipway::deploy {
namespace {

constexpr std::size_t largest_health = std::size_t{64} << 10;
constexpr std::size_t largest_metrics = std::size_t{4} << 20;

std::string text_of(const nlohmann::json& json, const char* field) {
  const auto found = json.find(field);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string bridge_address(const std::string& subnet_prefix, Colour colour) {
  return subnet_prefix + (colour == Colour::blue ? ".10" : ".11");
}

Result<HealthAnswer> HttpHealth::ask(Colour colour, std::chrono::nanoseconds timeout) {
  const auto begin = std::chrono::steady_clock::now();
  net::HttpRequest request{.host = bridge_address(subnet_prefix_, colour),
                           .port = port_,
                           .target = "/health",
                           .deadline = timeout,
                           .body_limit = largest_health};
  auto health = net::http_request(request);
  if (!health) return health.error();
  HealthAnswer answer;
  answer.status = health->status;
  const auto json = nlohmann::json::parse(health->body, nullptr, false);
  if (json.is_object()) {
    answer.well_formed = true;
    answer.health = text_of(json, "status");
    answer.release_id = text_of(json, "releaseId");
    answer.version = text_of(json, "version");
    answer.role = text_of(json, "role");
  }
  request.target = "/health/ready";
  request.deadline = timeout - (std::chrono::steady_clock::now() - begin);
  if (request.deadline <= std::chrono::nanoseconds::zero()) {
    return Error{ErrorKind::timeout, "/health used up the time for /health/ready", {}};
  }
  auto ready = net::http_request(request);
  if (!ready) return ready.error();
  answer.ready = ready->status == 200;
  return answer;
}

Result<std::string> HttpHealth::metrics(Colour colour, std::chrono::nanoseconds timeout) {
  auto answer = net::http_request({.host = bridge_address(subnet_prefix_, colour),
                                   .port = port_,
                                   .target = "/metrics",
                                   .deadline = timeout,
                                   .body_limit = largest_metrics});
  if (!answer) return answer.error();
  if (answer->status != 200) {
    return Error{ErrorKind::protocol, fmt::format("/metrics answered {}", answer->status), {}};
  }
  return std::move(answer->body);
}

}  // namespace slipway::deploy
