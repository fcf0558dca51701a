#include "packet_bench/gate/gate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr double lateness_floor_ms = 1.0;       // lateness below it undermines nothing
constexpr double lateness_share_of_p99 = 0.25;  // nor does a lateness small beside what is reported
constexpr double steal_bound = 5.0;             // percent

void judge_latency_trust(const RunResult& result, Verdict& verdict) {
  const double lateness = result.audit.lateness.p99_ms;
  if (lateness > std::max(lateness_floor_ms, lateness_share_of_p99 * result.latency.p99_ms)) {
    verdict.latency_trusted = false;
    verdict.warnings.push_back(fmt::format(
        "latency is not to be trusted: the generator sent 1 % of the packets {:.1f} ms or more "
        "late ({:.1f} % steal); give it a processor of its own (--cpu-affinity), --precision spin "
        "or a quieter machine",
        lateness, result.audit.steal_percent));
  }
  if (result.audit.throttled > 0) {
    verdict.warnings.push_back(fmt::format(
        "the kernel withheld the processors from this program {} times, because the quota of its "
        "control group was used up (nr_throttled); raise its limit, or run it elsewhere",
        result.audit.throttled));
  }
  if (result.audit.steal_percent > steal_bound) {
    verdict.warnings.push_back(
        fmt::format("another tenant took {:.1f} % of this machine's processors (steal); repeat "
                    "on a quieter one",
                    result.audit.steal_percent));
  }
}

// The target's own books against ours. It may have fulfilled packets that we gave up.
void judge_counters(const RunResult& result, Verdict& verdict) {
  if (!result.counters) return;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  for (const PacketCounts* packets : {&result.packets, &result.warmup_packets}) {
    least += packets->fulfilled;
    most += packets->fulfilled + packets->late + packets->unanswered + packets->wrong;
  }
  const std::uint64_t counted = result.counters->fulfilled;
  if (counted >= least && counted <= most) return;
  verdict.warnings.push_back(fmt::format(
      "the target counted {} fulfilments, but {} were verified here ({}); either others "
      "used it meanwhile, or one of the two counts wrongly",
      counted, least, result.counters->source));
}

// The generator did not offer the load in the time that the schedule gave it.
bool generator_fell_behind(const RunResult& result) {
  return std::chrono::duration<double>(generator_growth(result.slices)).count() >
         Pace::resolution * result.window_s;
}

void judge_tps(const RunResult& result, double threshold, Verdict& verdict) {
  // Half a packet's worth of rounding is no failure.
  const double slack = 0.5 / std::max(result.window_s, 1e-9);
  // What was reached with every delay counted, whoever caused it, stands.
  const double behind_s =
      std::chrono::duration<double>(std::max(verdict.pace.growth, std::chrono::nanoseconds(0)) +
                                    generator_growth(result.slices))
          .count();
  const double at_least =
      static_cast<double>(result.packets.fulfilled) / std::max(1e-9, result.window_s + behind_s);
  if (at_least + slack >= threshold) return;
  const bool unclear =
      verdict.pace.kind == Pace::Kind::undetermined || generator_fell_behind(result);
  if (verdict.tps + slack >= threshold && !unclear) {
    if (verdict.pace.kind == Pace::Kind::kept_despite_disturbance) {
      verdict.warnings.push_back(fmt::format(
          "the lag grew by {:.0f} ms, but only in the {} of {} slices in which the target or the "
          "generator had to wait for a processor, so it is not held against the target",
          static_cast<double>(verdict.pace.growth.count()) / 1e6, verdict.pace.disturbed,
          verdict.pace.slices));
    }
    return;
  }
  const double fulfilled_tps =
      result.window_s > 0 ? static_cast<double>(result.packets.fulfilled) / result.window_s : 0;
  const bool lost = fulfilled_tps + slack < threshold;
  // Packets that nobody answered wrongly, but that were never sent after this program stalled.
  const bool own_loss = result.audit.longest_stall_ms > Pace::resolution * result.window_s * 1e3 &&
                        static_cast<double>(result.packets.fulfilled + result.packets.unsent) >=
                            static_cast<double>(result.packets.planned);
  const bool own_fault = lost ? own_loss && result.packets.unsent > 0
                              : unclear && verdict.pace.kind != Pace::Kind::fell_behind;
  if (own_fault) {
    verdict.outcome = Outcome::invalid;
    verdict.reasons.push_back(fmt::format(
        "whether the target sustains {} packets/s cannot be said: {} of {} slices were "
        "disturbed (generator stalled up to {:.0f} ms, {:.1f} % steal); repeat it (--retries), "
        "longer (--duration) or on a quieter machine",
        rate_text(threshold), verdict.pace.disturbed, verdict.pace.slices,
        result.audit.longest_stall_ms, result.audit.steal_percent));
    return;
  }
  verdict.outcome = Outcome::failed;
  std::string why;
  if (!result.closed_loop && result.rate + slack < threshold) {
    why = fmt::format("only {} packets/s were offered (--rate)", rate_text(result.rate));
  } else if (verdict.pace.kind == Pace::Kind::fell_behind) {
    why = fmt::format("the target fell {:.0f} ms behind the schedule in {:.1f} s",
                      static_cast<double>(verdict.pace.growth.count()) / 1e6, result.window_s);
  } else {
    why = losses_text(result.packets);
  }
  verdict.reasons.push_back(fmt::format("{} tps is below the threshold of {}: {}",
                                        rate_text(verdict.tps), rate_text(threshold), why));
}

void judge_p99(const RunResult& result, std::chrono::nanoseconds bound, Verdict& verdict) {
  const double bound_ms = static_cast<double>(bound.count()) / 1e6;
  if (std::isnan(result.latency.p99_ms)) {
    if (verdict.outcome != Outcome::failed) verdict.outcome = Outcome::invalid;
    verdict.reasons.push_back(
        fmt::format("p99 is of 100 answers or more, and there were {}; measure longer (--duration)",
                    result.latency.count));
    return;
  }
  // Of the fulfilled alone it would be good: of all, the hundredth part was never answered in time.
  const std::uint64_t lost = result.packets.unanswered + result.packets.late;
  if (verdict.outcome != Outcome::failed &&
      static_cast<double>(lost) > 0.01 * static_cast<double>(result.packets.planned)) {
    verdict.outcome = Outcome::failed;
    verdict.reasons.push_back(
        fmt::format("p99 is over {:.2f} ms: {} of {} packets had no answer in time", bound_ms, lost,
                    result.packets.planned));
    return;
  }
  if (result.latency.p99_ms <= bound_ms || verdict.outcome == Outcome::failed) return;
  const bool undermined = !verdict.latency_trusted;
  verdict.outcome = undermined ? Outcome::invalid : Outcome::failed;
  verdict.reasons.push_back(fmt::format("p99 of {:.2f} ms is over {:.2f} ms{}",
                                        result.latency.p99_ms, bound_ms,
                                        undermined ? ", but the generator itself was late" : ""));
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::broken:
      return "broken";
    case Outcome::invalid:
      return "invalid";
    case Outcome::interrupted:
      return "interrupted";
  }
  return "unknown";
}

ExitStatus Verdict::exit_status() const {
  switch (outcome) {
    case Outcome::passed:
      return ExitStatus::passed;
    case Outcome::failed:
      return ExitStatus::failed;
    case Outcome::broken:
      return ExitStatus::target;
    case Outcome::invalid:
      return ExitStatus::inconclusive;
    case Outcome::interrupted:
      return ExitStatus::interrupted;
  }
  return ExitStatus::inconclusive;
}

Verdict judge(const RunResult& result, const GateLimits& limits) {
  Verdict verdict;
  verdict.warnings = result.notes;
  verdict.tps = sustained_tps(result);
  verdict.pace = analyse_pace(result.slices, std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                 std::chrono::duration<double>(result.window_s)));
  judge_latency_trust(result, verdict);
  judge_counters(result, verdict);
  if (result.interrupted) {
    verdict.outcome = Outcome::interrupted;
    verdict.reasons.push_back(
        fmt::format("interrupted after {:.1f} of {:.1f} s", result.window_s, result.planned_s));
    return verdict;
  }
  if (!result.target_lost.empty()) {
    verdict.outcome = Outcome::broken;
    verdict.reasons.push_back("the target was lost and did not come back: " + result.target_lost);
    return verdict;
  }
  if (!result.closed_loop && result.packets.planned == 0) {
    verdict.outcome = Outcome::invalid;
    verdict.reasons.push_back(
        fmt::format("no packet was due in the {:.1f} s that count, at {} packets/s; measure longer "
                    "(--duration)",
                    result.planned_s, rate_text(result.rate)));
    return verdict;
  }
  if (result.packets.fulfilled == 0) {
    const PacketCounts& packets = result.packets;
    const bool silent =
        packets.rejected.empty() && packets.wrong + packets.late + packets.failed == 0;
    verdict.outcome = silent ? Outcome::broken : Outcome::failed;
    if (!result.disconnects.empty()) verdict.reasons.push_back(result.disconnects.front());
    std::string why = losses_text(result.packets);
    if (!result.first_refusal.empty()) {
      why += "; the first answer was " + result.first_refusal;
    } else if (silent && result.disconnects.empty()) {
      why += "; the target takes connections and answers nothing";
    }
    verdict.reasons.push_back("no packet was fulfilled: " + why);
    return verdict;
  }
  if (limits.threshold_tps) judge_tps(result, *limits.threshold_tps, verdict);
  if (limits.threshold_p99) judge_p99(result, *limits.threshold_p99, verdict);
  return verdict;
}

std::string exit_status_help() {
  constexpr std::pair<ExitStatus, std::string_view> meanings[] = {
      {ExitStatus::passed, "passed"},
      {ExitStatus::failed, "gate failed"},
      {ExitStatus::usage, "usage"},
      {ExitStatus::target, "target unreachable or broken"},
      {ExitStatus::inconclusive, "inconclusive or invalid"},
      {ExitStatus::interrupted, "interrupted"}};
  std::string text;
  std::string line = "Exit status:";
  for (const auto& [status, meaning] : meanings) {
    const bool last = status == ExitStatus::interrupted;
    const std::string entry =
        fmt::format(" {} {}{}", static_cast<int>(status), meaning, last ? "" : ",");
    if (line.size() + entry.size() > 80) {
      text += line + "\n";
      line = " ";
    }
    line += entry;
  }
  return text + line + "\n";
}

}  // namespace slipway::bench
