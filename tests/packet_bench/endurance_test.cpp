// Ten minutes of constant arrivals beside ten seconds at the maximum.
#include "packet_bench/truth.hpp"
#include "support/catch.hpp"

#include <iostream>
#include <limits>

using namespace slipway::test;

namespace {

double memory_mb(const BenchRun& run) {
  return run.results["details"]["audit"]["generatorMemoryMb"].get<double>();
}

// How late the most punctual of these arrivals was, against a schedule from the first one on, in
// us.
double least_lateness_us(const std::vector<PacedTarget::Packet>& packets, std::size_t begin,
                         std::size_t end, std::int64_t gap_ns) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t n = begin; n < end; ++n) {
    const auto due = packets.front().arrival + static_cast<std::int64_t>(n) * gap_ns;
    least = std::min(least, packets[n].arrival - due);
  }
  return static_cast<double>(least) / 1e3;
}

}  // namespace

TEST_CASE("ten minutes need no more memory than ten seconds at the maximum, and do not drift",
          "[endurance]") {
  const TemporaryDirectory folder;
  PacedTarget fast({"--batch"});
  const BenchRun maximum = packet_bench(
      at_target(fast, {"--duration", "10s", "--warmup", "0s", "--rate", "2000000"}), folder);
  INFO(maximum.out + maximum.err);
  REQUIRE_FALSE(maximum.results.is_null());

  PacedTarget target({});
  const BenchRun run =
      packet_bench(at_target(target, {"--duration", "10m", "--warmup", "0s", "--rate", "10000"}),
                   folder, std::chrono::minutes(11));
  const auto record = target.finish();
  INFO(run.out + run.err);
  const double early = least_lateness_us(record.packets, 0, 600'000, 100'000);
  const double late = least_lateness_us(record.packets, 5'400'000, 6'000'000, 100'000);
  std::cout << fmt::format(
      "maximum: {:.1f} MB at {:.0f} packets/s; ten minutes: {:.1f} MB, {} packets; the most "
      "punctual packet of the first minute {:.1f} us after its time, of the last {:.1f} us\n{}",
      memory_mb(maximum), maximum.results["details"]["packets"]["fulfilled"].get<double>() / 10,
      memory_mb(run), record.packets.size(), early, late, run.out);
  CHECK(record.packets.size() == 6'000'000);
  CHECK(run.results["details"]["packets"]["fulfilled"] == 6'000'000);
  CHECK(memory_mb(run) < 64);
  CHECK(memory_mb(maximum) < 64);
  CHECK(memory_mb(run) <= memory_mb(maximum) + 2);
  CHECK(late == Approx(early).margin(20));
}
