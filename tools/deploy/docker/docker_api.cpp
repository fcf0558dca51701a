#include "deploy/docker/docker_api.hpp"

#include "deploy/model/foreign_text.hpp"
#include "net/http_client.hpp"

#include <thread>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// 20.10 speaks it, and so does every engine since.
constexpr std::string_view api_prefix = "/v1.41";
constexpr std::size_t largest_answer = std::size_t{64} << 20;

}  // namespace

std::string DockerApi::Answer::message() const {
  if (json.is_object() && json.contains("message") && json["message"].is_string()) {
    return foreign_text(json["message"].get<std::string>(), 800);
  }
  return fmt::format("HTTP {}", status);
}

Result<DockerApi::Answer> DockerApi::call(const std::string& method, const std::string& target,
                                          const nlohmann::json& body,
                                          std::chrono::nanoseconds deadline,
                                          std::stop_token stop) const {
  for (;;) {
    auto answer = net::http_request({.unix_socket = socket_,
                                     .method = method,
                                     .target = std::string(api_prefix) + target,
                                     .body = body.is_null() ? std::string() : body.dump(),
                                     .deadline = deadline,
                                     .body_limit = largest_answer},
                                    stop);
    if (answer) {
      away_since_.reset();
      return Answer{answer->status, nlohmann::json::parse(answer->body, nullptr, false),
                    std::move(answer->body)};
    }
    const auto now = std::chrono::steady_clock::now();
    const bool away = answer.error().kind == ErrorKind::unreachable;
    if (away && !away_since_) away_since_ = now;
    const bool again = away && now - *away_since_ < patience_ && !stop.stop_requested();
    if (!again) {
      Error error = answer.error();
      if (error.kind == ErrorKind::unreachable) error.remedy = "check that the Docker engine runs";
      return error;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Result<DockerApi::Answer> DockerApi::demand(const std::string& doing, const std::string& method,
                                            const std::string& target, const nlohmann::json& body,
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

std::string url_encode(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace slipway::deploy
