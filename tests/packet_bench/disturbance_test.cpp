// What packet_bench says when it is packet_bench that has no processor or no disk.
#include "packet_bench/truth.hpp"
#include "support/catch.hpp"

#include <sched.h>
#include <unistd.h>

using namespace slipway;
using namespace slipway::test;

TEST_CASE("a run that is late beside a hog on its processor is invalid and blames no target",
          "[disturbance]") {
  const TemporaryDirectory folder;
  cpu_set_t allowed;
  REQUIRE(::sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  std::size_t cpu = 0;
  while (!CPU_ISSET(cpu, &allowed)) ++cpu;
  const std::string pinned = std::to_string(cpu);
  const PacedTarget target({});
  const auto hog =
      Child::start({.argv = {"taskset", "-c", pinned, "sh", "-c", "while :; do :; done"}});
  REQUIRE(hog.has_value());
  const BenchRun run =
      packet_bench(at_target(target, {"--duration", "3s", "--warmup", "0s", "--rate", "5000",
                                      "--priority", "normal", "--cpu-affinity", pinned,
                                      "--threshold-p99", "1ms", "--retries", "1", "--seed", "7"}),
                   folder);
  INFO(run.out + run.err);
  const auto& details = run.results["details"];
  if (details["audit"]["lateness"]["p99Ms"].get<double>() <= 1) {
    WARN("the scheduler let it run in time beside the hog, so there was nothing to tell");
    CHECK(run.exit_status != 4);
    return;
  }
  CHECK(run.exit_status == 4);
  CHECK(details["outcome"] == "invalid");
  CHECK(details["latencyTrusted"] == false);
  CHECK_THAT(run.err, ContainsSubstring("--cpu-affinity"));
  CHECK(details["attempt"] == 2);
  CHECK(details["seed"] != 7);  // it sent no packet again
}

TEST_CASE("a disk that is full when the results are written keeps the older ones",
          "[disturbance]") {
  const TemporaryDirectory folder;
  const PacedTarget target({});
  const auto unshared = run_command({.argv = {"unshare", "--mount", "true"}});
  // A file system of 64 KiB in a mount namespace of its own, filled to the last block.
  const auto run = run_command(
      {.argv = {"unshare", "--mount", "sh", "-c",
                fmt::format("mount -t tmpfs -o size=64k tmpfs {0} || exit 77\n"
                            "echo older > {0}/results.json\n"
                            "head -c 100000 /dev/zero > {0}/filler 2> /dev/null\n"
                            "{1} run --target {2} --destination test.a --rate 500 --duration 500ms "
                            "--warmup 0s --output {0}/results.json > /dev/null\n"
                            "status=$?\n"
                            "cat {0}/results.json\n"
                            "exit $status",
                            folder.path().string(), PACKET_BENCH, target.url())}});
  REQUIRE(run.has_value());
  if (!unshared.has_value() || unshared->exit_status != 0 || run->exit_status == 77) {
    WARN("no right to mount a small file system here");
    return;
  }
  INFO(run->err);
  CHECK(run->exit_status == 4);
  CHECK(run->out == "older\n");
  // One line says it; on a busy machine a warning about the run may stand before it.
  const std::size_t error = run->err.find("packet_bench: error:");
  REQUIRE(error != std::string::npos);
  const std::string line = run->err.substr(error);
  CHECK_THAT(line, ContainsSubstring("No space left on device"));
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
}
