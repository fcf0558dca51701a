// packet_bench with the real connector in a process of its own.
#include "packet_bench/driver.hpp"
#include "support/catch.hpp"

using namespace slipway::test;

TEST_CASE("the embedded connector is driven, measured and agrees on the totals", "[embedded]") {
  const TemporaryDirectory folder;
  const BenchRun run = packet_bench(
      {"--duration", "2s", "--warmup", "500ms", "--rate", "2000", "--connections", "2"}, folder);
  INFO(run.out + run.err);
  CHECK(run.exit_status == 0);
  const auto& details = run.results["details"];
  CHECK(details["packets"]["planned"] == 4000);
  CHECK(details["packets"]["fulfilled"] == 4000);
  CHECK(details["warmupPackets"]["fulfilled"] == 1000);
  CHECK(details["receiverPrepares"] == 5000);
  CHECK(details["targetCounters"]["fulfilled"] == 5000);
  CHECK(details["targetCounters"]["rejected"] == 0);
  CHECK(run.results["memoryUsageMb"].get<double>() > 1);
  CHECK(run.results["cpuUsagePercent"].get<double>() > 0);
  CHECK(run.results["p99LatencyMs"].get<double>() >= run.results["p50LatencyMs"].get<double>());
  CHECK(run.results["p50LatencyMs"].get<double>() > 0);
  CHECK(details["series"].size() >= 2);
}

TEST_CASE("a rate below the threshold fails the gate", "[embedded]") {
  const TemporaryDirectory folder;
  const BenchRun run = packet_bench(
      {"--duration", "500ms", "--warmup", "0s", "--rate", "500", "--threshold-tps", "1000"},
      folder);
  CHECK(run.exit_status == 1);
  CHECK(run.results["passed"] == false);
  CHECK(run.results["tps"].get<double>() == Approx(500).epsilon(0.02));
}

TEST_CASE("a receiver with a wrong preimage yields F05 and nothing fulfilled", "[embedded]") {
  const TemporaryDirectory folder;
  const BenchRun run = packet_bench({"--duration", "1s", "--warmup", "0s", "--rate", "1000",
                                     "--receiver-behaviour", "wrong-preimage"},
                                    folder);
  INFO(run.out + run.err);
  CHECK(run.exit_status == 1);
  CHECK(run.results["details"]["packets"]["fulfilled"] == 0);
  CHECK(run.results["details"]["packets"]["rejectedByCode"] == nlohmann::json{{"F05", 1000}});
  CHECK(run.results["tps"] == 0.0);
}

TEST_CASE("a silent receiver yields R00 from the connector", "[embedded]") {
  const TemporaryDirectory folder;
  const BenchRun run = packet_bench({"--duration", "500ms", "--warmup", "0s", "--rate", "200",
                                     "--expiry", "3s", "--receiver-behaviour", "silent"},
                                    folder);
  INFO(run.out + run.err);
  CHECK(run.exit_status == 1);
  CHECK(run.results["details"]["packets"]["rejectedByCode"] == nlohmann::json{{"R00", 100}});
}
