#pragma once

#include "base/error.hpp"
#include "packet_bench/subject/container.hpp"
#include "packet_bench/subject/own_process.hpp"
#include "packet_bench/target/target.hpp"
#include "service/service.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slipway::bench {

// Any service as a container of its own, with an address of its own: what answers there is it, and
// no other program that listens on a port of this machine. Ends with its owner.
class StartedService {
 public:
  // `image`: an id. Starts it, waits until its `ready` path answers 200, as long as the service's
  // proof allows, and makes it active if it has roles. Errors: unreachable (it ended, or did not
  // become ready, with the last lines that it logged; or what OwnContainer says), cancelled.
  static Result<StartedService> start(const std::string& image, const service::Service& service,
                                      std::stop_token stop);

  // Where the gate's request goes.
  const Target& target() const { return target_; }
  const std::string& container() const { return process_.container()->name(); }
  // All that run in it now.
  std::vector<pid_t> processes() const { return group_.processes(); }
  // Set once it has ended by itself: how, and its last words.
  std::optional<std::string> death();

 private:
  StartedService(OwnProcess process, std::string name)
      : process_(std::move(process)), name_(std::move(name)) {}
  Result<void> await_address(const std::stop_token& stop);
  Result<void> await_ready(const service::Service& service, const std::stop_token& stop);

  OwnProcess process_;
  std::string name_;
  ControlGroup group_;
  Target target_;
};

}  // namespace slipway::bench
