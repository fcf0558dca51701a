#pragma once

#include "connector/connector_process.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace slipway::connector::test {

// What packet_bench saw of one account that pays another through the connector.
struct HonestResult {
  std::string outcome;  // packet_bench's verdict on the rate: passed, failed, broken or invalid
  double tps = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double lateness_p99_ms = 0;  // of the generator itself
  double connector_cpu_percent = 0;
  double window_s = 0;
  std::uint64_t planned = 0;
  std::uint64_t sent = 0;
  std::uint64_t fulfilled = 0;
  std::uint64_t reconnects = 0;

  // Every packet that was sent came back with its preimage, over the same sockets.
  bool lossless() const { return sent > 0 && fulfilled == sent && reconnects == 0; }
};

struct HonestLoad {
  std::string packet_bench;  // the executable
  std::string sender_token;
  std::string receiver_token;
  std::string destination;
  double rate = 10'000;
  std::chrono::milliseconds duration{2000};
};

// Runs it to its end. Throws when packet_bench did not get as far as a result.
HonestResult run_honest_load(const ConnectorProcess& connector, const HonestLoad& load);

// Of /proc/PID: what the kernel says, not the process.
std::uint64_t resident_bytes(pid_t pid);
std::uint64_t peak_resident_bytes(pid_t pid);
std::size_t open_descriptors(pid_t pid);

}  // namespace slipway::connector::test
