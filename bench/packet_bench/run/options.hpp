#pragma once

#include "packet_bench/gate/gate.hpp"
#include "packet_bench/load/load.hpp"
#include "packet_bench/target/target.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace slipway::bench {

// `packet_bench run` as the user asked for it, checked.
struct RunOptions {
  Target target;
  std::optional<Target> receiver;
  LoadPlan plan;  // all but its targets, which an embedded connector has yet to name
  unsigned connections = 1;
  bool numbered_tokens = false;  // the target's token and a connection's number, from 1 on
  GateLimits limits;
  unsigned retries = 0;
  std::optional<pid_t> target_pid;
  std::string container;  // name or id; empty: none
  std::optional<Target> metrics;
  std::filesystem::path connector;
  std::vector<int> connector_affinity;
  std::filesystem::path output;  // empty: none
  std::filesystem::path report;
  std::filesystem::path hdr_log;
  bool json = false;  // the result on stdout instead of the summary
  std::string commit;
  std::string branch;
};

}  // namespace slipway::bench
