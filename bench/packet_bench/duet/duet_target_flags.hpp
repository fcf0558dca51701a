#pragma once

#include "base/command_line.hpp"
#include "packet_bench/duet/duet_target.hpp"

#include <array>
#include <string>

namespace slipway::bench {

// What one side is and where it is seen, as it was given: --base and --base-..., or
// --candidate and --candidate-...
class DuetTargetFlags {
 public:
  explicit DuetTargetFlags(Side side);
  // Declares those of both, in turns, so that the help says what they share once.
  static void add(Flags& command, std::array<DuetTargetFlags*, 2> both);
  // `service`: what an image is, and what servers that run are asked, if that is written; an image
  // is of a connector where it has no request. Errors (`usage`) name the flag and what it may be.
  Result<DuetTarget> checked(const service::Service& service) const;

 private:
  std::string flag(const char* suffix) const;
  Result<DuetTarget> running(const service::Service& service) const;
  Result<DuetTarget> packets(RunningTarget running) const;

  std::string flag_;
  std::string target_;
  std::string image_;
  std::string destination_;
  std::string receiver_;
  int pid_ = 0;
  std::string container_;
};

}  // namespace slipway::bench
