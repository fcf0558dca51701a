#include "deploy/docker/docker_api.hpp"

#include "base/foreign_text.hpp"
#include "base/units.hpp"
#include "deploy/docker/api_version.hpp"
#include "net/http_client.hpp"

#include <thread>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::size_t largest_answer = std::size_t{64} << 20;

}  // namespace

std::string DockerApi::Answer::message() const {
  const JsonValue message = json.at({"message"});
  if (message.is_string()) return foreign_text(message.text(), 800);
  return fmt::format("HTTP {}", status);
}

Result<std::string> DockerApi::version(std::stop_token stop) const {
  if (!version_.empty()) return version_;
  // Every engine answers this one without a version.
  auto answer = send("GET", "/version", "", std::chrono::seconds(30), std::move(stop));
  if (!answer) return answer.error();
  auto chosen = choose_api_version(answer->json.at({"MinAPIVersion"}).text(),
                                   answer->json.at({"ApiVersion"}).text());
  if (chosen) version_ = *chosen;
  return chosen;
}

Result<DockerApi::Answer> DockerApi::call(const std::string& method, const std::string& target,
                                          const std::string& body,
                                          std::chrono::nanoseconds deadline,
                                          std::stop_token stop) const {
  const auto spoken = version(stop);
  if (!spoken) return spoken.error();
  return send(method, "/v" + *spoken + target, body, deadline, std::move(stop));
}

Result<DockerApi::Answer> DockerApi::send(const std::string& method, const std::string& target,
                                          const std::string& body,
                                          std::chrono::nanoseconds deadline,
                                          std::stop_token stop) const {
  for (;;) {
    auto answer = net::http_request({.unix_socket = socket_,
                                     .method = method,
                                     .target = target,
                                     .body = body,
                                     .deadline = deadline,
                                     .body_limit = largest_answer},
                                    stop);
    if (answer) {
      away_since_.reset();
      return Answer{answer->status, JsonValue::parse(answer->body), std::move(answer->body)};
    }
    const auto now = std::chrono::steady_clock::now();
    const bool away = answer.error().kind == ErrorKind::unreachable;
    if (away && !away_since_) {
      away_since_ = now;
      patience_.tell(fmt::format("waiting up to {} for the engine at {}: {}",
                                 format_duration(patience_.longest), socket_, answer.error().what));
    }
    const bool again = away && now - *away_since_ < patience_.longest && !stop.stop_requested();
    if (!again) {
      Error error = answer.error();
      if (error.kind == ErrorKind::unreachable) error.remedy = "check that the Docker engine runs";
      return error;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Result<DockerApi::Answer> DockerApi::demand(const std::string& doing, const std::string& method,
                                            const std::string& target, const std::string& body,
                                            std::chrono::nanoseconds deadline,
                                            std::stop_token stop) const {
  auto answer = call(method, target, body, deadline, std::move(stop));
  if (answer && !answer->ok()) {
    return Error{answer->status == 404 ? ErrorKind::not_found : ErrorKind::failed,
                 fmt::format("cannot {}: {}", doing, answer->message()),
                 {}};
  }
  if (!answer) {
    Error error = answer.error();
    error.what = fmt::format("cannot {}: {}", doing, error.what);
    return error;
  }
  return answer;
}

Result<void> DockerApi::order(const std::string& doing, const std::string& method,
                              const std::string& target, std::chrono::nanoseconds deadline) const {
  auto answer = demand(doing, method, target, "", deadline);
  if (!answer) return answer.error();
  return {};
}

}  // namespace slipway::deploy
