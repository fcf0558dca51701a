// A duet of two web servers that run: what is driven by HTTP is compared like what is driven by
// BTP.
#include "packet_bench/driver.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"

#include <filesystem>
#include <stop_token>
#include <thread>

using namespace slipway;
using namespace slipway::test;
using namespace std::chrono_literals;

namespace {

// Python's own HTTP server, with flags of tests/packet_bench/services/web_server.py.
class WebServer {
 public:
  explicit WebServer(std::vector<std::string> flags = {})
      : server_(command(std::move(flags))), port_(server_.port("listening on ", '.')) {}
  std::string url(const std::string& path = "/price") const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  Child& child() { return server_.child(); }
  pid_t pid() const { return server_.child().pid(); }
  // Each has a thread of its own.
  bool has_connections() const {
    const std::filesystem::directory_iterator threads(fmt::format("/proc/{}/task", pid()));
    return std::distance(begin(threads), end(threads)) > 1;
  }

 private:
  static std::vector<std::string> command(std::vector<std::string> flags) {
    std::vector<std::string> argv{WEB_SERVER, "--port", "0"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    return argv;
  }

  Server server_;
  int port_;
};

// Short slices, and allowances so wide that only what is broken is worse.
const std::vector<std::string> quick{"--rate",  "300", "--slice",  "100ms",
                                     "--round", "1s",  "--warmup", "200ms"};

std::vector<std::string> targets(const WebServer& base, const WebServer& candidate,
                                 std::vector<std::string> more) {
  std::vector<std::string> arguments{
      "--base",      base.url(),      "--base-pid",      std::to_string(base.pid()),
      "--candidate", candidate.url(), "--candidate-pid", std::to_string(candidate.pid())};
  arguments.insert(arguments.end(), quick.begin(), quick.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

BenchRun duet(const std::vector<std::string>& arguments, const TemporaryDirectory& folder) {
  return packet_bench(arguments, folder, 110s, "duet");
}

const std::vector<std::string> wide{"--max-worse", "cpu=100%,rate=20%,p50=1000%,p99=1000%",
                                    "--max-duration", "20s"};

// A busy machine may leave too few pairs; that it must say.
bool was_disturbed(const BenchRun& run) {
  return run.exit_status == 4 && run.results["pairsLeftOut"] > 0;
}

std::string notes_of(const BenchRun& run) {
  return run.results["notes"].dump();
}

}  // namespace

TEST_CASE("A web server passes against its like, and both are driven", "[duet_web]") {
  const TemporaryDirectory folder;
  const WebServer one;
  const WebServer other;
  const BenchRun run = duet(targets(one, other, wide), folder);
  INFO(run.out << run.err);
  REQUIRE(run.results.is_object());
  CHECK((run.exit_status == 0 || was_disturbed(run)));
  // In the mean, because others may take the processors for a whole pair.
  for (const char* const side : {"base", "candidate"}) {
    double share = 0;
    double cpu = 0;
    for (const nlohmann::json& pair : run.results["pairs"]) {
      share += pair[side]["fulfilledShare"].get<double>();
      cpu += pair[side]["cpuUsPerPacket"].get<double>();
    }
    const auto pairs = static_cast<double>(run.results["pairs"].size());
    CHECK(share > 0.7 * pairs);
    CHECK(cpu > 10 * pairs);
  }
  CHECK(run.results["commitSha"].is_null());
}

TEST_CASE("A web server that is clearly dearer is a regression", "[duet_web]") {
  const TemporaryDirectory folder;
  const WebServer one;
  const WebServer other({"--extra-cpu", "300"});
  const BenchRun run = duet(targets(one, other, wide), folder);
  INFO(run.out << run.err);
  if (was_disturbed(run)) return;
  REQUIRE(run.exit_status == 1);
  CHECK_THAT(run.results["reasons"].dump(), ContainsSubstring("worse: cpu"));
}

TEST_CASE("A web server that hangs up is connected to again, and what it left unanswered is lost",
          "[duet_web]") {
  const TemporaryDirectory folder;
  const WebServer one;
  const bool often = GENERATE(false, true);
  const WebServer other({"--close-after", often ? "1" : "40"});
  const BenchRun run = duet(targets(one, other, wide), folder);
  INFO(run.out << run.err);
  REQUIRE(run.results.is_object());
  // One in 41 is within what is allowed here, one in two is not.
  CHECK((run.exit_status == (often ? 1 : 0) || was_disturbed(run)));
  CHECK_THAT(notes_of(run), ContainsSubstring("connections to the candidate were lost"));
  CHECK_THAT(notes_of(run), ContainsSubstring("closed by the other side"));
  CHECK_THAT(notes_of(run), ContainsSubstring("unanswered"));
  CHECK_THAT(notes_of(run), !ContainsSubstring("connections to the base"));
  if (often && run.exit_status == 1) {
    CHECK_THAT(run.results["reasons"].dump(), ContainsSubstring("worse: rate"));
  }
}

TEST_CASE("A candidate that serves nothing fails, also where the base serves nothing",
          "[duet_web]") {
  const TemporaryDirectory folder;
  const bool both = GENERATE(false, true);
  const WebServer one({"--status", both ? "500" : "200"});
  const WebServer other({"--status", "500"});
  const std::vector<std::string> by_rate{"--max-worse", "rate=20%", "--max-duration", "20s"};
  const BenchRun run = duet(targets(one, other, by_rate), folder);
  INFO(run.out << run.err);
  if (was_disturbed(run)) return;
  REQUIRE(run.exit_status == 1);
  CHECK(run.results["reasons"][0] == "worse: the candidate served nothing");
  CHECK_THAT(notes_of(run), ContainsSubstring("rejected with HTTP 500"));
}

TEST_CASE("What counts as served is asked of both sides of a duet", "[duet_web]") {
  const TemporaryDirectory folder;
  const WebServer one({"--status", "404"});
  const WebServer other({"--status", "404"});
  auto arguments = targets(one, other, wide);
  arguments.insert(arguments.end(), {"--served", "status=404", "--served", "json=/price=1"});
  const BenchRun run = duet(arguments, folder);
  INFO(run.out << run.err);
  REQUIRE(run.results.is_object());
  CHECK((run.exit_status == 0 || was_disturbed(run)));
  CHECK_THAT(notes_of(run), !ContainsSubstring("rejected"));
}

TEST_CASE("A web server that is not there, or goes and stays away, is 3", "[duet_web]") {
  const TemporaryDirectory folder;
  const LoopbackPort nobody(false);
  std::vector<std::string> arguments{"--base", fmt::format("http://127.0.0.1:{}/", nobody.number()),
                                     "--max-worse", "rate=20%"};
  arguments.insert(arguments.end(), quick.begin(), quick.end());
  {
    const WebServer other;
    arguments.insert(arguments.end(), {"--candidate", other.url()});
    const BenchRun run = duet(arguments, folder);
    INFO(run.err);
    CHECK(run.exit_status == 3);
    CHECK_THAT(run.err, ContainsSubstring("cannot connect to the base"));
  }
  const WebServer one;
  WebServer leaves;
  std::jthread ender([&leaves](const std::stop_token& stop) {
    while (!leaves.has_connections() && !stop.stop_requested()) std::this_thread::sleep_for(10ms);
    std::this_thread::sleep_for(2s);
    leaves.child().terminate();
  });
  auto endless = targets(one, leaves, {});
  for (std::string& argument : endless) {
    if (argument == "1s") argument = "1m";  // the round
    if (argument == "100ms") argument = "1s";
  }
  endless.insert(endless.end(), {"--max-worse", "rate=1%"});
  const BenchRun gone = duet(endless, folder);
  INFO(gone.out << gone.err);
  CHECK(gone.exit_status == 3);
  CHECK_THAT(gone.err, ContainsSubstring("the candidate could not be reached any more"));
}
