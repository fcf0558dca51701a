#pragma once

#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "support/temporary_directory.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>

namespace slipway::connector::test {

// A connected blocking TCP socket on loopback.
int connect_to(std::uint16_t port);
// GET of a path; the body. Throws unless the status is 200.
std::string http_get(std::uint16_t port, const std::string& path);

class ConnectorProcess;
bool is_ready(const ConnectorProcess& connector);

// The connector as a process of its own on free ports; ended with the object.
class ConnectorProcess {
 public:
  ConnectorProcess(const std::string& executable, const std::string& config);

  std::uint16_t btp_port() const { return btp_port_; }
  std::uint16_t http_port() const { return http_port_; }
  pid_t pid() const { return child_->pid(); }
  void send_signal(int number) { child_->send_signal(number); }
  // SIGTERM; the exit status.
  int terminate() { return child_->terminate(std::chrono::seconds(60)); }
  std::optional<int> exit_status() { return child_->exit_status(); }
  std::string output() const;
  // Every series of /metrics by its name and labels.
  std::map<std::string, std::string> metrics() const;
  std::int64_t metric(const std::string& series) const;

 private:
  slipway::test::TemporaryDirectory directory_;
  std::optional<Child> child_;
  std::uint16_t btp_port_ = 0;
  std::uint16_t http_port_ = 0;
};

// Calls `done` until it is true; throws with `what` after a minute. For what another process does.
template <typename Done>
void wait_until(const std::string& what, Done done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited for " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace slipway::connector::test
