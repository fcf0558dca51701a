// The search against targets of known capacity, and what it says bounded it.
#include "packet_bench/truth.hpp"
#include "support/catch.hpp"

using namespace slipway::test;

namespace {

BenchRun search(std::vector<std::string> arguments, const TemporaryDirectory& folder) {
  return packet_bench(std::move(arguments), folder, std::chrono::seconds(110), "search");
}

}  // namespace

TEST_CASE("a search finds the capacity of a target and says that the target bounds it",
          "[search]") {
  const TemporaryDirectory folder;
  const PacedTarget target({"--rate", "3000"});
  const BenchRun run =
      search(at_target(target, {"--rate", "2000", "--duration", "1500ms", "--warmup", "200ms",
                                "--slo-p99", "50ms", "--resolution", "5"}),
             folder);
  INFO(run.out + run.err);
  CHECK(run.exit_status == 0);
  const auto& found = run.results["details"]["search"];
  CHECK(found["boundedBy"] == "target");
  CHECK(found["rate"].get<double>() <= 3000 * 1.02);
  CHECK(found["rate"].get<double>() >= 3000 * 0.85);
  CHECK(run.results["tps"].get<double>() == Approx(found["rate"].get<double>()).epsilon(0.01));
  CHECK_THAT(run.out, ContainsSubstring("bounded by target"));
}

TEST_CASE("a search stops at the highest rate allowed", "[search]") {
  const TemporaryDirectory folder;
  const PacedTarget target({});
  const BenchRun run =
      search(at_target(target, {"--rate", "500", "--max-rate", "1000", "--duration", "300ms",
                                "--warmup", "0s", "--slo-p99", "200ms"}),
             folder);
  INFO(run.out + run.err);
  CHECK(run.exit_status == 0);
  CHECK(run.results["details"]["search"]["rate"] == 1000);
  CHECK(run.results["details"]["search"]["boundedBy"] == "nothing");
}

TEST_CASE("a target that loses packets at any rate has no rate that is sustained", "[search]") {
  const TemporaryDirectory folder;
  const PacedTarget target({"--fault", "lose", "--every", "1"});
  const BenchRun run = search(at_target(target, {"--rate", "2", "--duration", "500ms", "--warmup",
                                                 "0s", "--expiry", "200ms"}),
                              folder);
  INFO(run.out + run.err);
  CHECK(run.exit_status == 1);
  CHECK_THAT(run.out, ContainsSubstring("no rate is sustained"));
  CHECK_THAT(run.out, ContainsSubstring("unanswered"));
}
