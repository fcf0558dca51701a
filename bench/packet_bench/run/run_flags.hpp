#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "packet_bench/run/flag_values.hpp"
#include "packet_bench/run/http_flags.hpp"
#include "packet_bench/run/options.hpp"
#include "packet_bench/run/tls_flags.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::bench {

// What a command that makes runs starts from where the user says nothing.
struct RunDefaults {
  std::string duration = "10s";
  std::string warmup = "2s";
  // Whether the user sets what a run is judged by, and gets a report of it. A search does neither:
  // it has no such flags.
  bool judged = true;
};

// The flags as they were given.
class RunFlags {
 public:
  explicit RunFlags(Flags& command, const RunDefaults& defaults = {});
  // Errors (`usage`) name the flag and what it may be.
  Result<RunOptions> checked() const;

 private:
  void add_target_flags(Flags& command);
  void add_load_flags(Flags& command, const std::string& rate);
  void add_generator_flags(Flags& command);
  void add_gate_flags(Flags& command);
  void add_output_flags(Flags& command, bool judged);
  Result<void> check_load(RunOptions& options) const;
  Result<void> check_limits(RunOptions& options) const;
  Result<void> check_authorization(RunOptions& options) const;
  Result<void> check_cost(RunOptions& options) const;
  Result<void> check_useful(const RunOptions& options) const;

  const Flags& command_;
  std::string target_ = "embedded";
  std::string auth_;
  std::string receiver_;
  std::string destination_;
  bool no_drain_notice_ = false;
  bool numbered_tokens_ = false;
  std::string connector_;
  std::string rate_ = "10000";
  std::string duration_;
  std::string warmup_;
  std::string expiry_ = "5s";
  Arrivals arrivals_ = Arrivals::constant;
  std::uint64_t seed_ = 0;
  unsigned connections_ = 1;
  unsigned threads_ = 1;
  std::size_t data_bytes_ = 64;
  std::uint64_t amount_ = 1;
  std::size_t max_in_flight_ = std::size_t{1} << 17;
  Precision precision_ = Precision::normal;
  bool high_priority_ = true;
  std::vector<int> cpu_affinity_;
  std::vector<int> connector_affinity_;
  std::optional<double> threshold_tps_;  // nothing: the rate; 0: none
  std::string threshold_p99_;
  unsigned retries_ = 0;
  int pid_ = 0;
  std::string container_;
  std::string metrics_;
  std::string output_ = "benchmark-results.json";
  std::string report_;
  std::string hdr_log_;
  bool json_ = false;
  HttpFlags http_;
  std::string commit_;
  std::string branch_;
  ReceiverBehaviour receiver_behaviour_ = ReceiverBehaviour::fulfill;
  TlsFlags tls_;
};

}  // namespace slipway::bench
