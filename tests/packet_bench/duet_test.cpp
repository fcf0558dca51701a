#include "base/durable_file.hpp"
#include "packet_bench/driver.hpp"
#include "support/catch.hpp"

#include <filesystem>

using namespace slipway;
using namespace slipway::test;
using namespace std::chrono_literals;

namespace {

const std::string connector =
    (std::filesystem::path(PACKET_BENCH).parent_path() / "connector").string();

BenchRun duet(const std::vector<std::string>& arguments, const TemporaryDirectory& folder) {
  return packet_bench(arguments, folder, 110s, "duet");
}

}  // namespace

TEST_CASE("A duet of a connector with one that is twice as dear is a regression", "[duet]") {
  const TemporaryDirectory folder;
  const std::string report = (folder.path() / "duet.md").string();
  // Allowances so wide that a busy machine does not matter, and a difference that is wider. At a
  // rate that leaves the processor idle also with a sanitizer: else what is spent on purpose delays
  // reading, more is read at once, and each packet costs less than it would.
  const BenchRun run = duet(
      {"--base", connector, "--candidate", connector, "--test-extra-cpu", "300", "--max-worse",
       "cpu=20%", "--rate", "500", "--slice", "250ms", "--max-duration", "60s", "--report", report},
      folder);
  INFO(run.out << run.err);
  REQUIRE(run.results.is_object());
  // An unprivileged run on a busy machine may leave out too many pairs; it must say so.
  if (run.exit_status == 4) {
    CHECK(run.results["verdict"] == "inconclusive");
    CHECK_FALSE(run.results["reasons"].empty());
    return;
  }
  REQUIRE(run.exit_status == 1);
  CHECK(run.results["verdict"] == "regression");
  const Json& cpu = run.results["findings"][0];
  CHECK(cpu["metric"] == "cpu");
  CHECK(cpu["low"].get<double>() > 0.2);
  CHECK(cpu["worsening"].get<double>() > 1);
  const auto markdown = read_file(report);
  REQUIRE(markdown.has_value());
  CHECK(markdown->find("packet_bench duet: regression") != std::string::npos);
  CHECK(markdown->find("```mermaid\nxychart-beta") != std::string::npos);
}

TEST_CASE("A duet too short for a verdict is inconclusive, and says so", "[duet]") {
  const TemporaryDirectory folder;
  const std::string report = (folder.path() / "duet.html").string();
  const BenchRun run = duet({"--base", connector, "--candidate", connector, "--rate", "1000",
                             "--max-duration", "5s", "--report", report},
                            folder);
  INFO(run.out << run.err);
  CHECK(run.exit_status == 4);
  CHECK(run.out.find("undisturbed pairs") != std::string::npos);
  const auto page = read_file(report);
  REQUIRE(page.has_value());
  CHECK(page->find("<header class=\"inconclusive\">") != std::string::npos);
  CHECK(page->find("pairs left out") != std::string::npos);
}

TEST_CASE("A duet with what is no connector is refused, or broken, and never passes", "[duet]") {
  const TemporaryDirectory folder;
  CHECK(duet({"--base", connector, "--candidate", "/absent"}, folder).exit_status == 2);
  CHECK(duet({"--base", "/", "--candidate", connector}, folder).exit_status == 2);
  CHECK(duet({"--base", connector, "--candidate", connector, "--max-worse", "speed=1%"}, folder)
            .exit_status == 2);
  CHECK(duet({"--base", connector, "--candidate", connector, "--max-duration", "never"}, folder)
            .exit_status == 2);
  const BenchRun ended = duet({"--base", connector, "--candidate", "/bin/true"}, folder);
  CHECK(ended.exit_status == 3);
  CHECK(ended.err.find("candidate: the connector ended with status 0") != std::string::npos);
}

TEST_CASE("What does not fit the kind of target is refused, and the flag is named", "[duet]") {
  const TemporaryDirectory folder;
  struct Refusal {
    std::vector<std::string> arguments;
    const char* says;
  };
  const std::string running = "btp+ws://:hidden@127.0.0.1:1/";
  for (const auto& [arguments, says] : std::vector<Refusal>{
           {{}, "--base is missing; give --base TARGET or --base-image IMAGE"},
           {{"--base", "http://127.0.0.1:1/", "--base-pid", "1"},
            "what packets are sent to is not compared with a web server"},
           {{"--base", "http://127.0.0.1:1/"}, "what the base uses is not to be seen"},
           {{"--base", "http://127.0.0.1:1/", "--base-destination", "g.b"},
            "--base-destination and --base-receiver would do nothing"},
           {{"--base", "ilp+http://:hidden@127.0.0.1:1/"}, "--base-destination '' makes no sense"},
           {{"--base", "carrier+pigeon://127.0.0.1:1/"}, "the scheme is not known"},
           {{"--base", running}, "--base-destination '' makes no sense"},
           {{"--base", running, "--base-destination", "a b"}, "--base-destination 'a b'"},
           {{"--base", running, "--base-destination", "g.b", "--base-receiver", "http://h/"},
            "--base-receiver 'http://h:80/'"},
           {{"--base", running, "--base-destination", "g.b", "--base-pid", "-4"},
            "--base-pid '-4'"},
           {{"--base", running, "--base-destination", "g.b"},
            "give --base-pid or --base-container"},
           {{"--base", connector, "--base-pid", "1"}, "are for a connector that runs"},
           {{"--base", connector, "--insecure"}, "for targets with TLS"},
           {{"--base", "docker:"}, "--base 'docker:' makes no sense"},
           {{"--base", "docker:--privileged"}, "makes no sense"},
           {{"--base", "docker:a b"}, "makes no sense"},
           {{"--base", "docker:a", "--base-pid", "1"}, "are for a connector that runs"},
           {{"--base", "docker:a:v1"}, "an image is not compared with an executable"},
           {{"--base-image", "a:v1"}, "an image is not compared with an executable"},
           {{"--base-image", "a b"}, "--base-image 'a b' makes no sense; give NAME"},
           {{"--base-image", "a", "--base", connector}, "excludes"},
           {{"--base", connector, "--path", "/x"}, "--path would do nothing"},
           {{"--base", connector, "--connections", "2"}, "--connections would do nothing"},
           {{"--base", connector, "--served", "status=200"}, "--served would do nothing"},
           {{"--base", connector, "--path", "x"}, "--path 'x' makes no sense"},
           {{"--base", connector, "--service", "/absent.yml"}, "/absent.yml"},
       }) {
    std::vector<std::string> all{"--candidate", connector};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const BenchRun run = duet(all, folder);
    INFO(run.err);
    CHECK(run.exit_status == 2);
    CHECK(run.err.find(says) != std::string::npos);
    CHECK(run.err.find("hidden") == std::string::npos);
  }
}

TEST_CASE("A duet of images without Docker says what to install", "[duet]") {
  const TemporaryDirectory folder;
  const BenchRun run = packet_bench({"--base", "docker:a", "--candidate", "docker:a"}, folder, 110s,
                                    "duet", {{"PATH", folder.path().string()}});
  INFO(run.err);
  CHECK(run.exit_status == 3);
  CHECK(run.err.find("base: there is no program 'docker'") != std::string::npos);
  CHECK(run.err.find("install Docker") != std::string::npos);
}

TEST_CASE("A running target that is not there, or whose process is not, is no pass", "[duet]") {
  const TemporaryDirectory folder;
  const std::vector<std::string> nobody{
      "--candidate", "btp+ws://:t@127.0.0.1:1/", "--candidate-destination", "g.b", "--base",
      connector};
  std::vector<std::string> blind = nobody;
  blind.insert(blind.end(), {"--max-worse", "rate=1%"});
  const BenchRun refused = duet(blind, folder);
  CHECK(refused.exit_status == 3);
  CHECK(refused.err.find("cannot connect to the candidate") != std::string::npos);
  std::vector<std::string> watched = nobody;
  watched.insert(watched.end(), {"--candidate-pid", "2147483647"});
  const BenchRun absent = duet(watched, folder);
  CHECK(absent.exit_status == 2);
  CHECK(absent.err.find("candidate: there is no process 2147483647") != std::string::npos);
}
