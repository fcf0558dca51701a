#pragma once

// One HTTP request at a time, for those who have nothing else to do meanwhile.

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

namespace slipway::net {

class TlsContext;

struct HttpRequest {
  std::string unix_socket = {};  // a path; empty: TCP to host and port
  std::string host = {};         // a name or a numeric address
  std::uint16_t port = 0;
  std::shared_ptr<const TlsContext> tls = {};  // nothing: in the clear
  std::string method = "GET";
  std::string target = "/";
  std::string body = {};
  std::string content_type = "application/json";                 // of the body, if there is one
  std::chrono::nanoseconds deadline = std::chrono::seconds(10);  // for everything together
  std::size_t body_limit = std::size_t{8} << 20;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// One request on a connection of its own. Redirects are not followed: they are answers. Errors:
// unreachable, timeout, protocol (no HTTP, or more than body_limit bytes), cancelled.
Result<HttpAnswer> http_request(const HttpRequest& request, std::stop_token stop = {});

}  // namespace slipway::net
