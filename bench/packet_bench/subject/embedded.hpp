#pragma once

#include "base/error.hpp"
#include "packet_bench/subject/own_process.hpp"
#include "packet_bench/target/target.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::bench {

// The connector as a process of its own, or a container's, on free loopback ports, with a sending
// account for each connection, a receiving account, and a routing table of realistic size. Ends
// with its owner.
class EmbeddedConnector {
 public:
  struct Options {
    std::filesystem::path executable;
    std::string image;  // not empty: the id of one to start a container from instead
    unsigned senders = 1;
    std::vector<int> cpu_affinity;  // of the executable; empty: anywhere
    int extra_cpu_percent = 0;      // makes it slow on purpose (testExtraCpuPercent)
  };
  // Starts it and waits until it says on which ports it listens. Errors: not_found (no such
  // executable), unreachable (it ended or said nothing, with the last thing that it logged; or what
  // OwnContainer says).
  static Result<EmbeddedConnector> start(const Options& options, std::stop_token stop);

  const std::vector<Target>& senders() const { return senders_; }
  const Target& receiver() const { return receiver_; }
  std::string destination() const;
  pid_t pid() const { return pid_; }
  std::uint16_t http_port() const { return http_port_; }
  // Set once it has ended by itself: how, and its last words.
  std::optional<std::string> death() { return process_.death("the connector"); }

 private:
  EmbeddedConnector(OwnProcess process, std::vector<Target> senders, Target receiver);
  Result<void> await_listening(const std::stop_token& stop);

  OwnProcess process_;
  pid_t pid_;  // in a container its own, which is not that of `process_`
  std::vector<Target> senders_;
  Target receiver_;
  std::uint16_t http_port_ = 0;
};

// The connector beside this executable.
std::filesystem::path default_connector();

}  // namespace slipway::bench
