#pragma once

#include "packet_bench/driver.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

// What the paced target's own log says about a run.
namespace slipway::test {

inline std::vector<std::string> at_target(const PacedTarget& target, std::vector<std::string> more,
                                          const std::string& scheme = "btp+ws") {
  std::vector<std::string> arguments{"--target", target.url(scheme), "--pid",
                                     std::to_string(target.pid())};
  if (scheme != "http") arguments.insert(arguments.end(), {"--destination", "test.paced.me"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// The 99th percentile in ms of answer time minus due time, with due times made here: equally
// spaced, and as late as the arrivals allow.
inline double true_p99(const std::vector<PacedTarget::Packet>& packets, double rate) {
  std::int64_t start = packets.front().arrival;
  const auto offset = [rate](std::size_t n) {
    return static_cast<std::int64_t>(std::llround(1e9 * static_cast<double>(n) / rate));
  };
  for (std::size_t n = 0; n < packets.size(); ++n) {
    start = std::min(start, packets[n].arrival - offset(n));
  }
  std::vector<double> latencies;
  for (std::size_t n = 0; n < packets.size(); ++n) {
    latencies.push_back(static_cast<double>(packets[n].answer - start - offset(n)) / 1e6);
  }
  std::sort(latencies.begin(), latencies.end());
  return latencies[latencies.size() * 99 / 100];
}

}  // namespace slipway::test
