#pragma once

#include "base/error.hpp"
#include "deploy/model/json_value.hpp"
#include "deploy/ports/platform.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace slipway::deploy {

// The Docker Engine API on its unix socket, one request a connection. Requests that the daemon
// does not take or does not answer (it restarts) are tried again until it has been away for
// `patience`; from then on they are tried once each, so that an operation does not wait at every
// call. Every request that is made here may be made twice.
class DockerApi {
 public:
  DockerApi(std::string socket, Patience patience)
      : socket_(std::move(socket)), patience_(std::move(patience)) {}

  struct Answer {
    int status = 0;
    JsonValue json;  // nothing where the body is none
    std::string body;

    bool ok() const { return status >= 200 && status < 400; }
    // The engine's own words, fit to be shown.
    std::string message() const;
  };

  // `body` is JSON, or nothing. Errors: unreachable (no daemon), timeout, protocol, cancelled. HTTP
  // errors are answers.
  Result<Answer> call(const std::string& method, const std::string& target,
                      const std::string& body = {},
                      std::chrono::nanoseconds deadline = std::chrono::seconds(30),
                      std::stop_token stop = {}) const;
  // The same, and an HTTP error is an Error: not_found for 404, failed otherwise.
  Result<Answer> demand(const std::string& doing, const std::string& method,
                        const std::string& target, const std::string& body = {},
                        std::chrono::nanoseconds deadline = std::chrono::seconds(30),
                        std::stop_token stop = {}) const;

  // The same, for what has no answer but that it was done.
  Result<void> order(const std::string& doing, const std::string& method, const std::string& target,
                     std::chrono::nanoseconds deadline = std::chrono::seconds(30)) const;

 private:
  // The version of the API that both speak, asked for once. Errors: failed, where there is none.
  Result<std::string> version(std::stop_token stop) const;
  Result<Answer> send(const std::string& method, const std::string& target, const std::string& body,
                      std::chrono::nanoseconds deadline, std::stop_token stop) const;

  std::string socket_;
  Patience patience_;
  // Since when the daemon is away, as far as is known; nothing while it answers.
  mutable std::optional<std::chrono::steady_clock::time_point> away_since_;
  mutable std::string version_;  // empty: not asked yet
};

}  // namespace slipway::deploy
