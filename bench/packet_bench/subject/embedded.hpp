#pragma once

#include "base/error.hpp"
#include "base/process.hpp"
#include "packet_bench/target/target.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

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
  std::optional<std::string> death();

 private:
  // The folder with its output, and its container; removed at the end.
  struct Place;
  EmbeddedConnector(Child child, std::shared_ptr<Place> place);
  static Result<std::vector<std::string>> prepare(const Options& options, nlohmann::json config,
                                                  Place& place);
  std::string last_words() const;

  std::shared_ptr<Place> place_;
  Child child_;  // of a container: the docker command that stays with it
  pid_t pid_;
  std::vector<Target> senders_;
  Target receiver_;
  std::uint16_t http_port_ = 0;
};

// The connector beside this executable.
std::filesystem::path default_connector();

}  // namespace slipway::bench
