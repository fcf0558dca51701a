#pragma once

#include "base/command_line.hpp"
#include "packet_bench/duet/duet.hpp"
#include "packet_bench/duet/duet_target_flags.hpp"
#include "packet_bench/duet/service_flags.hpp"
#include "packet_bench/run/tls_flags.hpp"

#include <string>

namespace slipway::bench {

// The flags of the subcommand.
class DuetFlags {
 public:
  explicit DuetFlags(Flags& command);
  // Errors (`usage`) name the flag and what it may be.
  Result<DuetOptions> checked() const;

 private:
  Result<void> check_limits(const service::Service& service, DuetOptions& options) const;
  Result<void> check_times(DuetOptions& options) const;
  Result<void> check_targets(const service::Service& service, DuetOptions& options) const;
  Result<void> check_kinds(const DuetOptions& options) const;
  Result<void> check_tls(DuetOptions& options) const;

  const Flags& command_;
  DuetTargetFlags base_{base};
  DuetTargetFlags candidate_{candidate};
  ServiceFlags service_;
  double rate_ = 10'000;
  std::string max_duration_ = "90s";
  std::string warmup_ = "1s";
  std::string slice_ = "500ms";
  std::string round_ = "5s";
  std::uint64_t seed_ = 0;
  std::string max_worse_;
  TlsFlags tls_;
  std::string output_;
  std::string report_;
  bool json_ = false;
  int extra_cpu_ = 0;
};

}  // namespace slipway::bench
