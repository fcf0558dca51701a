#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "packet_bench/run/http_flags.hpp"
#include "service/service.hpp"

#include <string>

namespace slipway::bench {

// What is known of the two that are compared, where they are a service of which slipway.yml, or the
// flags in its place, says how it is started and what it is asked.
class ServiceFlags {
 public:
  explicit ServiceFlags(Flags& command) : command_(command), http_(command) {}
  // Declares them.
  void add();

  // slipway.yml with what was given in the place of what it has; without one, its defaults. Errors:
  // usage; not_found, io (the file).
  Result<service::Service> checked() const;
  // Whether a file says rate and allowances.
  bool has_file() const { return !file_.empty(); }
  // Whether images are of a service that is asked in HTTP requests, and not of a connector.
  static bool is_web(const service::Service& service) { return !service.gate.path.empty(); }
  // The requests that go to a service, or to servers that run. Errors: usage.
  Result<HttpRequest> request(const service::Service& service) const;
  // Errors (`usage`): a flag was given that changes nothing for two targets of this kind.
  Result<void> check_useful(bool image, bool requests, bool web) const;

 private:
  Flags& command_;
  HttpFlags http_;
  std::string file_;
  unsigned port_ = 8080;
  std::string path_;
  std::string ready_ = "/health";
  unsigned connections_ = 4;
};

}  // namespace slipway::bench
