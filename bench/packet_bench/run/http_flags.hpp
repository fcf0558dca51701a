#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "packet_bench/target/scheme.hpp"
#include "service/service.hpp"

#include <string>
#include <vector>

namespace slipway::bench {

// What is asked of a web server, and which of its answers count as served: the flags of all
// commands that drive one.
class HttpFlags {
 public:
  explicit HttpFlags(Flags& command) : command_(command) {}
  // Declares them, in a group of the help.
  void add(const std::string& group_name);

  // Puts what was given in the place of what is there, and of what `served` has. Errors (`usage`)
  // name the flag.
  Result<void> apply(HttpRequest& request, service::ServedRule served = {}) const;
  // Errors (`usage`): one of them was given, and would change nothing for targets that are asked
  // by no HTTP `requests`, or by such as hold ILP packets (not `web`).
  Result<void> check_useful(bool requests, bool web) const;

 private:
  Result<void> apply_request(HttpRequest& request) const;
  Result<void> apply_served(service::ServedRule& rule) const;

  Flags& command_;
  std::string method_;
  std::vector<std::string> headers_;
  std::string body_;
  std::string requests_;
  unsigned pipeline_ = 1;
  std::vector<std::string> served_;
};

// What slipway.yml has the gate ask, but for the path and for what counts as served.
HttpRequest request_of(const service::GateRules& gate);

}  // namespace slipway::bench
