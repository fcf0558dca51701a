// packet_bench's figures against those of a target that keeps its own books.
#include "packet_bench/truth.hpp"

#include "support/catch.hpp"
#include "support/sanitizer.hpp"

using namespace slipway::test;

TEST_CASE("the gate fails a target of 9,900/s at 10,000 and passes one of 10,100", "[truth]") {
  const TemporaryDirectory folder;
  for (const auto& [rate, status] : {std::pair{"9900", 1}, std::pair{"10100", 0}}) {
    const PacedTarget target({"--rate", rate});
    const BenchRun run =
        packet_bench(at_target(target, {"--duration", "4s", "--warmup", "500ms", "--threshold-tps",
                                        "10000", "--retries", "9"}),
                     folder);
    INFO(run.out + run.err);
    CHECK(run.exit_status == status);
    CHECK(run.results["passed"] == (status == 0));
    const double expected = status == 0 ? 10'000 : 9'900;
    CHECK(run.results["tps"].get<double>() == Approx(expected).epsilon(0.01));
  }
}

// All that waited for the end of a freeze is answered at once: a sanitizer makes reading it slow.
constexpr unsigned freeze_rate = slipway::test::is_sanitized ? 1000 : 5000;

TEST_CASE("a freeze of the target shows in p99 as its own log says", "[truth]") {
  const TemporaryDirectory folder;
  const std::string scheme = GENERATE("btp+ws", "ilp+http", "http");
  const std::string at = GENERATE("0.3", "3.2");  // early, and near the end
  PacedTarget target({"--freeze-at", at, "--freeze-for", "0.6"});
  std::vector<std::string> flags{"--duration", "4s",     "--warmup",
                                 "0s",         "--rate", std::to_string(freeze_rate)};
  if (scheme != "btp+ws") flags.insert(flags.end(), {"--pipeline", "4096"});
  const BenchRun run = packet_bench(at_target(target, flags, scheme), folder);
  const auto record = target.finish();
  INFO(scheme + run.out + run.err);
  REQUIRE(record.packets.size() == 4 * freeze_rate);
  const double truth = true_p99(record.packets, freeze_rate);
  CHECK(truth > 500);
  CHECK(run.results["p99LatencyMs"].get<double>() == Approx(truth).epsilon(0.02));
  CHECK(run.results["details"]["longestGapMs"].get<double>() > 550);
}

TEST_CASE("each fault of a target shows under its own name and nothing else", "[truth]") {
  struct Case {
    const char* fault;
    const char* counter;
  };
  const Case wanted = GENERATE(Case{"lose", "unanswered"}, Case{"wrong", "wrongPreimage"},
                               Case{"reject", "rejected"}, Case{"duplicate", "duplicateAnswers"},
                               Case{"unexpected", "unexpectedAnswers"}, Case{"none", "-"});
  const TemporaryDirectory folder;
  PacedTarget target({"--fault", wanted.fault, "--every", "100"});
  const BenchRun run = packet_bench(at_target(target, {"--duration", "1s", "--warmup", "0s",
                                                       "--rate", "2000", "--expiry", "1500ms"}),
                                    folder);
  const auto record = target.finish();
  INFO(wanted.fault << ": " << run.out << run.err);
  const auto& details = run.results["details"];
  const auto& packets = details["packets"];
  const bool lost_one =
      std::string(wanted.counter) != "-" && packets.contains(std::string(wanted.counter));
  CHECK(packets["planned"] == 2000);
  CHECK(packets["sent"] == record.counts["received"]);
  CHECK(packets["fulfilled"] == (lost_one ? 1980 : 2000));
  for (const char* name : {"unanswered", "wrongPreimage", "rejected", "late", "failed", "unsent"}) {
    INFO(name);
    CHECK(packets[name] == (std::string(name) == wanted.counter ? 20 : 0));
  }
  for (const char* name : {"duplicateAnswers", "unexpectedAnswers"}) {
    INFO(name);
    CHECK(details[name] == (std::string(name) == wanted.counter ? 20 : 0));
  }
}

TEST_CASE("answers that come after the packet has expired are late, not fulfilled", "[truth]") {
  const TemporaryDirectory folder;
  const PacedTarget target({"--freeze-at", "0.2", "--freeze-for", "0.8"});
  const BenchRun run = packet_bench(at_target(target, {"--duration", "1s", "--warmup", "0s",
                                                       "--rate", "1000", "--expiry", "300ms"}),
                                    folder);
  INFO(run.out + run.err);
  const auto& packets = run.results["details"]["packets"];
  // Due from 0.2 s on, answered at 1.0 s: those due before 0.7 s are too late.
  CHECK(packets["late"].get<int>() == Approx(500).margin(60));
  CHECK(packets["fulfilled"].get<int>() + packets["late"].get<int>() == 1000);
}

TEST_CASE("a lost connection is opened again at once, and its gap is counted", "[truth]") {
  const TemporaryDirectory folder;
  PacedTarget target({"--close-at", "0.5"});
  const BenchRun run = packet_bench(
      at_target(target, {"--duration", "2s", "--warmup", "0s", "--rate", "2000"}), folder);
  const auto record = target.finish();
  INFO(run.out + run.err);
  const auto& details = run.results["details"];
  CHECK(details["reconnects"] == 1);
  REQUIRE(details["disconnects"].size() == 1);
  CHECK_THAT(details["disconnects"][0].get<std::string>(), ContainsSubstring("1001"));
  const auto& packets = details["packets"];
  CHECK(packets["planned"] == 4000);
  CHECK(packets["unsent"] == 0);
  CHECK(packets["fulfilled"].get<int>() + packets["unanswered"].get<int>() == 4000);
  CHECK(packets["fulfilled"].get<int>() > 3000);
}
