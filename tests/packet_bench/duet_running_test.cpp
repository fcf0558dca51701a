// A duet between connectors that run already: nothing is started, and all is left as it was.
#include "base/json.hpp"
#include "packet_bench/running_connector.hpp"
#include "support/catch.hpp"

using namespace slipway;
using namespace slipway::test;
using namespace std::chrono_literals;

namespace {

// Short slices, and allowances so wide that only a broken duet is worse.
std::vector<std::string> quick(const std::string& max_worse, std::vector<std::string> more) {
  std::vector<std::string> arguments{"--rate",         "500", "--slice",     "100ms",
                                     "--round",        "1s",  "--warmup",    "200ms",
                                     "--max-duration", "20s", "--max-worse", max_worse};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// A busy machine may leave too few pairs; that it must say.
void check_passed_or_disturbed(const BenchRun& run) {
  if (run.exit_status == 0) {
    CHECK_FALSE(run.results["verdict"] == "inconclusive");
    return;
  }
  CHECK(run.exit_status == 4);
  CHECK(run.results["pairsLeftOut"] > 0);
  CHECK(run.results["reasons"][0].get<std::string>().find("left out") != std::string::npos);
}

}  // namespace

TEST_CASE("Two running connectors are driven alike, and left as they were found", "[duet]") {
  const TemporaryDirectory folder;
  const std::string report = (folder.path() / "duet.html").string();
  const RunningConnector one;
  const RunningConnector other;
  const auto before = one.scheduling();
  const BenchRun run =
      packet_bench(quick("cpu=1000%,rate=50%,p50=1000%,p99=1000%",
                         {"--base-destination", "test.here.bob", "--candidate-destination",
                          "test.here.bob", "--base-pid", std::to_string(one.pid()),
                          "--candidate-pid", std::to_string(other.pid()), "--report", report}),
                   folder, 110s, "duet",
                   {{"PACKET_BENCH_BASE", one.url("secret-alice")},
                    {"PACKET_BENCH_BASE_RECEIVER", one.url("secret-bob")},
                    {"PACKET_BENCH_CANDIDATE", other.url("secret-alice")},
                    {"PACKET_BENCH_CANDIDATE_RECEIVER", other.url("secret-bob")}});
  INFO(run.out << run.err);
  REQUIRE(run.results.is_object());
  check_passed_or_disturbed(run);
  // Each couple of packets is one for each.
  const bench::Scrape base = one.counters();
  const bench::Scrape candidate = other.counters();
  const auto pairs = static_cast<double>(run.results["pairs"].size());
  CHECK(*base.fulfilled > 0.9 * 50 * pairs);
  CHECK(std::abs(static_cast<double>(*base.fulfilled) -
                 static_cast<double>(*candidate.fulfilled)) <= 10);
  CHECK(base.rejected == 0u);
  CHECK(candidate.rejected == 0u);
  CHECK(run.results["pairs"][0]["base"]["cpuUsPerPacket"] > 1);
  CHECK(run.results["pairs"][0]["candidate"]["memoryMb"] > 1);

  CHECK(one.scheduling() == before);
  CHECK(run.out.find("the candidate runs and is not started anew") != std::string::npos);
  const std::string all = run.out + run.err + to_text(run.results) + read_file(report).value();
  CHECK(all.find("secret-") == std::string::npos);
  CHECK(all.find("the base runs and is not started anew") != std::string::npos);
}

TEST_CASE("Without its cost a running target is judged by what is seen of it only", "[duet]") {
  const TemporaryDirectory folder;
  PacedTarget one({"--rate", "100000"});
  PacedTarget other({"--rate", "100000"});
  const std::vector<std::string> targets{
      "--base",      one.url(),   "--base-destination",      "test.anybody",
      "--candidate", other.url(), "--candidate-destination", "test.anybody"};
  const BenchRun refused = packet_bench(quick("cpu=5%,rate=5%", targets), folder, 110s, "duet");
  CHECK(refused.exit_status == 2);
  CHECK(refused.err.find("what the base uses is not to be seen") != std::string::npos);
  CHECK(refused.err.find("--base-pid") != std::string::npos);

  const BenchRun run = packet_bench(quick("rate=50%", targets), folder, 110s, "duet");
  INFO(run.out << run.err);
  REQUIRE(run.results.is_object());
  if (run.exit_status != 1) check_passed_or_disturbed(run);  // p50 and p99 may raise an alarm
  for (const nlohmann::json& finding : run.results["findings"])
    CHECK_FALSE(finding["metric"] == "cpu");
  CHECK(run.results["notes"].back().get<std::string>().find("--base-pid and --candidate-pid") !=
        std::string::npos);
  const auto received = one.finish().counts["received"].get<double>();
  CHECK(received > 0.9 * 50 * static_cast<double>(run.results["pairs"].size()));
}
