#include "packet_bench/gate/gate.hpp"

#include "support/catch.hpp"

#include <random>

using namespace slipway::bench;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

constexpr std::size_t slices = 40;
constexpr double window_s = 10;
constexpr double slice_s = window_s / slices;

// What a fluid queue of `capacity` shows in each slice at 10,000/s when the target is held up for
// `stall_s` at the beginning of slice `stalled` (computed here, not by the code under test).
std::vector<PaceSlice> queue_slices(double capacity, std::size_t stalled = slices,
                                    double stall_s = 0) {
  std::vector<PaceSlice> result(slices);
  double lag = 0;
  const double growth = 10'000 / capacity - 1;  // seconds of lag per second
  for (std::size_t i = 0; i < slices; ++i) {
    if (i == stalled) lag += stall_s;
    const double end = std::max(0.0, lag + growth * slice_s);
    result[i].least_lag = nanoseconds(static_cast<std::int64_t>(1e9 * std::min(lag, end)) + 40'000);
    lag = end;
  }
  return result;
}

RunResult run_with(std::vector<PaceSlice> pace_slices) {
  RunResult result;
  result.rate = 10'000;
  result.window_s = window_s;
  result.planned_s = window_s;
  result.packets.planned = result.packets.sent = result.packets.fulfilled = 100'000;
  result.slices = std::move(pace_slices);
  result.latency.p50_ms = 0.2;
  result.latency.p99_ms = 1;
  return result;
}

const GateLimits at_10000{.threshold_tps = 10'000, .threshold_p99 = {}};

}  // namespace

TEST_CASE("a target of 10,100/s passes at 10,000 and one of 9,900 fails, as its tps says",
          "[gate]") {
  CHECK(judge(run_with(queue_slices(10'100)), at_10000).outcome == Outcome::passed);
  const Verdict slow = judge(run_with(queue_slices(9'900)), at_10000);
  CHECK(slow.outcome == Outcome::failed);
  CHECK(slow.tps == Approx(9'900).epsilon(0.001));
}

TEST_CASE("a stall that others caused does not fail a target that was catching up", "[gate]") {
  auto stalled = queue_slices(10'100, 30, 0.3);
  SECTION("the hypervisor") {
    stalled[30].steal = 300ms;
  }
  SECTION("the generator") {
    stalled[30].generator_stall = 300ms;
  }
  SECTION("another process") {
    stalled[30].target_wait = 300ms;
  }
  const Verdict verdict = judge(run_with(stalled), at_10000);
  CHECK(verdict.outcome == Outcome::passed);
  CHECK(verdict.tps == Approx(10'000));
  CHECK(verdict.pace.kind == Pace::Kind::kept_despite_disturbance);
}

TEST_CASE("the same stall without anybody else to blame fails it", "[gate]") {
  CHECK(judge(run_with(queue_slices(10'100, 30, 0.3)), at_10000).outcome == Outcome::failed);
}

TEST_CASE("a stall that was made up for by the end fails nobody", "[gate]") {
  CHECK(judge(run_with(queue_slices(50'000, 20, 0.9)), at_10000).outcome == Outcome::passed);
}

TEST_CASE("a slow target is caught although the machine was disturbed", "[gate]") {
  auto disturbed = queue_slices(9'900, 10, 0.3);
  SECTION("in some slices") {
    for (std::size_t i = 10; i < 20; ++i) disturbed[i].steal = 50ms;
  }
  SECTION("in all slices") {
    for (auto& slice : disturbed) slice.generator_stall = 50ms;
  }
  CHECK(judge(run_with(disturbed), at_10000).outcome == Outcome::failed);
}

TEST_CASE("a target that others kept from running all the time is not failed", "[gate]") {
  auto starved = queue_slices(9'000);
  for (auto& slice : starved) slice.target_wait = 100ms;
  CHECK(judge(run_with(starved), at_10000).outcome == Outcome::invalid);
}

TEST_CASE("a miss that cannot be told from the disturbance is invalid, not failed", "[gate]") {
  auto chaos = queue_slices(20'000);
  std::mt19937 random(3);
  for (std::size_t i = 0; i < chaos.size(); ++i) {
    chaos[i].steal = 100ms;
    chaos[i].least_lag = std::chrono::milliseconds(i + 1 == chaos.size() ? 400 : random() % 50);
  }
  const Verdict verdict = judge(run_with(chaos), at_10000);
  CHECK(verdict.outcome == Outcome::invalid);
  CHECK(verdict.exit_status() == ExitStatus::inconclusive);
}

TEST_CASE("a generator that fell behind makes a run invalid and blames no target", "[gate]") {
  auto late = queue_slices(50'000);
  for (std::size_t i = 0; i < late.size(); ++i) late[i].least_lateness = i * 20ms;
  CHECK(judge(run_with(late), at_10000).outcome == Outcome::invalid);
  // A target that is slower than even that stays failed.
  auto both = queue_slices(9'000);
  for (std::size_t i = 0; i < both.size(); ++i) both[i].least_lateness = i * 20ms;
  CHECK(judge(run_with(both), at_10000).outcome == Outcome::failed);
}

TEST_CASE("a rate below the threshold fails, however well it was served", "[gate]") {
  RunResult result = run_with(queue_slices(50'000));
  result.rate = 5'000;
  result.packets.fulfilled = result.packets.sent = result.packets.planned = 50'000;
  const Verdict verdict = judge(result, at_10000);
  CHECK(verdict.outcome == Outcome::failed);
  CHECK(verdict.tps == Approx(5'000));
  REQUIRE(verdict.reasons.size() == 1);
  CHECK_THAT(verdict.reasons[0], ContainsSubstring("--rate"));
}

TEST_CASE("packets that were not fulfilled count against the target", "[gate]") {
  RunResult result = run_with(queue_slices(50'000));
  result.packets.fulfilled = 99'990;
  SECTION("rejected") {
    result.packets.rejected["T04"] = 10;
  }
  SECTION("unanswered") {
    result.packets.unanswered = 10;
  }
  SECTION("wrong") {
    result.packets.wrong = 10;
  }
  SECTION("late") {
    result.packets.late = 10;
  }
  CHECK(judge(result, at_10000).outcome == Outcome::failed);
}

TEST_CASE("nothing fulfilled is never a pass, even without limits", "[gate]") {
  RunResult result = run_with(std::vector<PaceSlice>(slices));
  result.packets.fulfilled = 0;
  result.packets.rejected["F05"] = 100'000;
  CHECK(judge(result, {}).outcome == Outcome::failed);
  CHECK(judge(result, at_10000).outcome == Outcome::failed);
}

TEST_CASE("a window in which no packet was due blames nobody", "[gate]") {
  RunResult result = run_with({});
  result.packets.planned = result.packets.sent = result.packets.fulfilled = 0;
  const Verdict verdict = judge(result, {});
  CHECK(verdict.outcome == Outcome::invalid);
  REQUIRE_FALSE(verdict.reasons.empty());
  CHECK_THAT(verdict.reasons.front(), ContainsSubstring("no packet was due"));
  // As many as the target takes: that it took none is its own doing.
  result.closed_loop = true;
  CHECK(judge(result, {}).outcome == Outcome::broken);
}

TEST_CASE("a late generator leaves the throughput standing and marks the latency", "[gate]") {
  RunResult result = run_with(queue_slices(50'000));
  result.audit.lateness.p99_ms = 30;
  result.latency.p99_ms = 31;
  const Verdict verdict = judge(result, at_10000);
  CHECK(verdict.outcome == Outcome::passed);
  CHECK_FALSE(verdict.latency_trusted);
  CHECK_FALSE(verdict.warnings.empty());
}

TEST_CASE("a p99 over its bound fails a run, and makes it invalid when the generator was late",
          "[gate]") {
  RunResult result = run_with(queue_slices(50'000));
  const GateLimits limits{.threshold_tps = {}, .threshold_p99 = 5ms};
  result.latency.p99_ms = 20;
  CHECK(judge(result, limits).outcome == Outcome::failed);
  result.audit.lateness.p99_ms = 19;
  CHECK(judge(result, limits).outcome == Outcome::invalid);
  result.latency.p99_ms = 4.9;
  CHECK(judge(result, limits).outcome == Outcome::passed);
}

TEST_CASE("a p99 is of all packets, and not of the answered ones alone", "[gate]") {
  GateLimits limits;
  limits.threshold_p99 = std::chrono::milliseconds(5);
  for (std::uint64_t PacketCounts::* lost : {&PacketCounts::unanswered, &PacketCounts::late}) {
    RunResult result = run_with(std::vector<PaceSlice>(slices));
    result.packets.*lost = 1'000;
    result.packets.fulfilled -= 1'000;
    CHECK(judge(result, limits).outcome == Outcome::passed);
    result.packets.*lost = 1'001;
    CHECK(judge(result, limits).outcome == Outcome::failed);
    CHECK(judge(result, {}).outcome == Outcome::passed);
  }
}

TEST_CASE("a target that counts other fulfilments than were verified is told of", "[gate]") {
  RunResult result = run_with(queue_slices(20'000));
  result.warmup_packets.fulfilled = 5'000;
  result.counters = TargetCounters{.source = "http://target/metrics", .fulfilled = 105'000};
  CHECK(judge(result, at_10000).warnings.empty());
  result.counters->fulfilled = GENERATE(104'999u, 105'001u);
  REQUIRE(judge(result, at_10000).warnings.size() == 1);
  CHECK_THAT(judge(result, at_10000).warnings[0], ContainsSubstring("105000 were verified"));
}

TEST_CASE("a target may have fulfilled packets that were given up here", "[gate]") {
  RunResult result = run_with(queue_slices(20'000));
  result.packets.fulfilled = 99'990;
  result.packets.late = 4;
  result.packets.unanswered = 6;
  result.counters = TargetCounters{.source = "", .fulfilled = 99'995};
  CHECK(judge(result, {}).warnings.empty());
}

TEST_CASE("an interrupted run and a lost target have statuses of their own", "[gate]") {
  RunResult result = run_with(queue_slices(50'000));
  result.interrupted = true;
  CHECK(judge(result, at_10000).exit_status() == ExitStatus::interrupted);
  result.interrupted = false;
  result.target_lost = "closed";
  CHECK(judge(result, at_10000).exit_status() == ExitStatus::target);
}
