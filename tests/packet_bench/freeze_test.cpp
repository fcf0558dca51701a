// A target that is stopped for a second (SIGSTOP) at any moment, as a container engine or a
// debugger does it: p99 against the target's own log.
#include "packet_bench/truth.hpp"
#include "support/catch.hpp"

#include <iostream>

using namespace slipway::test;

namespace {

struct Way {
  const char* name;
  const char* scheme;
  std::vector<std::string> flags;
};

void check_freeze(const Way& way, unsigned seconds, double at) {
  const TemporaryDirectory folder;
  PacedTarget target({"--stop-at", std::to_string(at), "--stop-for", "1"});
  std::vector<std::string> flags{"--duration", std::to_string(seconds) + "s", "--warmup", "0s"};
  flags.insert(flags.end(), way.flags.begin(), way.flags.end());
  const BenchRun run = packet_bench(at_target(target, flags, way.scheme), folder);
  const auto record = target.finish();
  INFO(run.out + run.err);
  REQUIRE(record.packets.size() == std::size_t{10'000} * seconds);
  const double truth = true_p99(record.packets, 10'000);
  const double said = run.results["p99LatencyMs"].get<double>();
  std::cout << fmt::format("{:22} {} s, stopped at {:6.3f} s: p99 is {:.1f} ms, reported {:.1f}\n",
                           way.name, seconds, at, truth, said)
            << std::flush;
  CHECK(truth > 400);
  CHECK(said == Approx(truth).epsilon(0.02));
  CHECK(run.results["details"]["packets"]["fulfilled"] == record.counts["answered"]);
}

}  // namespace

TEST_CASE("a second's freeze at any moment shows in p99 as the target's log says", "[freeze]") {
  const Way way =
      GENERATE(Way{"BTP", "btp+ws", {}}, Way{"HTTP, pipelined", "http", {"--pipeline", "4096"}},
               Way{"HTTP, 50 connections", "http", {"--connections", "50"}});
  SECTION("of a 10 s run") {
    check_freeze(way, 10, GENERATE(0.0, 2.5, 5.0, 8.9, 9.5));
  }
  SECTION("of a 20 s run") {
    check_freeze(way, 20, GENERATE(0.5, 5.0, 12.3, 19.2));
  }
}
