#include "packet_bench/search/probe_outcome.hpp"

#include "packet_bench/report/summary.hpp"

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr double steal_bound = 5;           // percent of all processors
constexpr double target_wait_bound = 20;    // percent of the run
constexpr double generator_cpu_bound = 85;  // percent of a processor, for each sending loop

std::string reason_of(const RunResult& result, const Verdict& verdict) {
  if (!verdict.reasons.empty()) return verdict.reasons.front();
  return losses_text(result.packets);
}

}  // namespace

ProbeOutcome probe_outcome(const RunResult& result, const Verdict& verdict) {
  const bool lossless = result.packets.fulfilled == result.packets.planned;
  if (verdict.outcome == Outcome::passed && lossless) return {true, Bound::none, {}};
  const std::string reason = reason_of(result, verdict);
  const Audit& audit = result.audit;
  const auto machine = [&](const std::string& cause) {
    return ProbeOutcome{false, Bound::machine, fmt::format("{}; {}", reason, cause)};
  };
  if (audit.steal_percent > steal_bound) {
    return machine(
        fmt::format("the hypervisor took {:.0f} % of the processors (steal)", audit.steal_percent));
  }
  if (verdict.outcome == Outcome::invalid) {
    if (audit.generator_cpu_percent > generator_cpu_bound * result.threads) {
      return {false, Bound::generator,
              fmt::format("{}; packet_bench itself used {:.0f} % of a processor for {} sending "
                          "loop(s): give it more --threads on more processors",
                          reason, audit.generator_cpu_percent, result.threads)};
    }
    return machine("other programs kept packet_bench from sending in time");
  }
  if (audit.target_wait_percent > target_wait_bound) {
    return machine(
        fmt::format("the target was ready to run but waited for a processor {:.0f} % "
                    "of the time",
                    audit.target_wait_percent));
  }
  return {false, Bound::target, reason};
}

}  // namespace slipway::bench
