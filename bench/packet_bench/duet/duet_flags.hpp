#pragma once

#include "base/command_line.hpp"
#include "packet_bench/duet/duet.hpp"

#include <string>

namespace slipway::bench {

// What one side is and where it is seen, as it was given: --base and --base-..., or
// --candidate and --candidate-...
class DuetTargetFlags {
 public:
  DuetTargetFlags(Flags& command, Side side);
  // Errors (`usage`) name the flag and what it may be.
  Result<DuetTarget> checked() const;

 private:
  std::string flag(const char* suffix) const;
  Result<DuetTarget> running() const;

  std::string flag_;
  std::string target_;
  std::string destination_;
  std::string receiver_;
  int pid_ = 0;
  std::string container_;
};

// The flags of the subcommand.
class DuetFlags {
 public:
  explicit DuetFlags(Flags& command);
  // Errors (`usage`) name the flag and what it may be.
  Result<DuetOptions> checked() const;

 private:
  Result<void> check_targets(DuetOptions& options) const;

  DuetTargetFlags base_;
  DuetTargetFlags candidate_;
  double rate_ = 10'000;
  std::string max_duration_ = "90s";
  std::string warmup_ = "1s";
  std::string slice_ = "500ms";
  std::string round_ = "5s";
  std::uint64_t seed_ = 0;
  std::string max_worse_;
  std::string ca_file_;
  bool insecure_ = false;
  std::string output_;
  std::string report_;
  bool json_ = false;
  int extra_cpu_ = 0;
};

}  // namespace slipway::bench
