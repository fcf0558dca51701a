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
  const auto& found = run.results["details"]["search"];
  // Where other programs keep both from running, nothing but a lower bound can be had.
  const bool disturbed = found["boundedBy"] == "machine";
  CHECK((disturbed || found["boundedBy"] == "target"));
  CHECK(run.exit_status == (disturbed ? 4 : 0));
  CHECK(found["rate"].get<double>() <= 3000 * 1.02);
  CHECK(found["rate"].get<double>() >= 3000 * 0.85);
  CHECK(run.results["tps"].get<double>() == Approx(found["rate"].get<double>()).epsilon(0.01));
  CHECK_THAT(run.out, ContainsSubstring(disturbed ? "at least" : "bounded by target"));
  // What it can do is far from twice what it can do.
  const auto& runs = found["runs"];
  CHECK(std::any_of(runs.begin(), runs.end(), [](const nlohmann::json& probe) {
    return probe["rate"] == 4000 && probe["sustained"] == false && probe["boundedBy"] == "target";
  }));
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
  const BenchRun run = search(at_target(target, {"--rate", "800", "--duration", "500ms", "--warmup",
                                                 "0s", "--expiry", "200ms"}),
                              folder);
  INFO(run.out + run.err);
  CHECK(run.exit_status == 1);
  CHECK_THAT(run.out, ContainsSubstring("no rate is sustained"));
  CHECK_THAT(run.out, ContainsSubstring("unanswered"));
  CHECK_THAT(run.out, ContainsSubstring("the lowest that is tried is 200.0 packets/s"));
}

TEST_CASE("a search refuses rates of which a run has too few answers for a p99", "[search]") {
  const TemporaryDirectory folder;
  const BenchRun run = packet_bench({"--rate", "15", "--duration", "5s"}, folder,
                                    std::chrono::seconds(110), "search");
  CHECK(run.exit_status == 2);
  CHECK_THAT(run.err, ContainsSubstring("at least 20.0 packets/s"));
}
