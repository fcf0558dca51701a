// A run is killed at every point that it passes, and the resumed run again at every point of its
// own: in the end one healthy version serves, old or new, and a further resume writes nothing.
#include "base/durable_file.hpp"
#include "fake_host.hpp"
#include "support/catch.hpp"

#include <iostream>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::test;

namespace {

constexpr int most_points = 200;

// What is killed, on a host prepared for it.
struct Scenario {
  std::string name;
  Action action;
  std::string target;
  Manner manner;
  bool first;
  StrategyKind strategy = StrategyKind::blue_green;
  bool dead = false;  // what serves is
};

void prepare(FakeHost& host, const Scenario& scenario) {
  host.config.strategy = scenario.strategy;
  host.publish("v1");
  host.publish("v2", scenario.action == Action::deploy ? scenario.manner : Manner::good);
  if (scenario.first) return;
  REQUIRE(host.run(Action::deploy, "v1").exit_code == ExitCode::done);
  if (scenario.action == Action::rollback) {
    REQUIRE(host.run(Action::deploy, "v2").exit_code == ExitCode::done);
  }
  if (scenario.dead) host.containers.at(*host.map).instance.running = false;
}

// True when the run was killed at point `at`, false when it ended before.
bool killed(FakeHost& host, Action action, const std::string& target, int at) {
  host.kill_at = at;
  try {
    host.run(action, target);
    host.kill_at = -1;
    return false;
  } catch (const Killed&) {
    host.kill_at = -1;
    return true;
  }
}

std::string journal_of(const FakeHost& host) {
  const auto bytes = read_file(host.directory.path() / "journal");
  return bytes ? *bytes : std::string();
}

void expect_settled(FakeHost& host, const Scenario& scenario, const Report& report) {
  const std::string served = host.served();
  INFO(report.message << " served " << served);
  if (scenario.first) {
    REQUIRE((served == "rev-v1" || served == "none"));
  } else {
    REQUIRE((served == "rev-v1" || (served == "rev-v2" && scenario.manner == Manner::good)));
  }
  REQUIRE(host.file == host.map);
  const std::string journal = journal_of(host);
  const Report again = host.run(Action::resume);
  REQUIRE(again.exit_code == ExitCode::done);
  REQUIRE(journal_of(host) == journal);
  REQUIRE(host.served() == served);
}

}  // namespace

TEST_CASE("killed at every point and resumed, one healthy version serves", "[kill]") {
  const std::vector<Scenario> scenarios{
      {"first deploy", Action::deploy, "v1", Manner::good, true},
      {"deploy", Action::deploy, "v2", Manner::good, false},
      {"bad deploy", Action::deploy, "v2", Manner::lies, false},
      {"deploy that dies when promoted", Action::deploy, "v2", Manner::dies_when_promoted, false},
      {"rollback", Action::rollback, "", Manner::good, false},
      {"rollback from a dead version", Action::rollback, "", Manner::good, false,
       StrategyKind::blue_green, true},
      {"deploy over a dead version", Action::deploy, "v2", Manner::good, false,
       StrategyKind::blue_green, true},
      {"recreate", Action::deploy, "v2", Manner::good, false, StrategyKind::recreate},
      {"recreate with a liar", Action::deploy, "v2", Manner::lies, false, StrategyKind::recreate},
      {"recreate with one that exits", Action::deploy, "v2", Manner::exits, false,
       StrategyKind::recreate},
      {"recreate, rollback", Action::rollback, "", Manner::good, false, StrategyKind::recreate}};
  for (const Scenario& scenario : scenarios) {
    std::map<std::string, int> outcomes;
    int point = 1;
    for (;; ++point) {
      REQUIRE(point < most_points);
      FakeHost host;
      prepare(host, scenario);
      if (!killed(host, scenario.action, scenario.target, point)) break;
      const std::string where = host.passed.back();
      INFO(scenario.name << " killed at " << point << " " << where);
      const Report report = host.run(Action::resume);
      expect_settled(host, scenario, report);
      ++outcomes[host.served()];
    }
    std::string line = fmt::format("{}: {} kills;", scenario.name, point - 1);
    for (const auto& [served, count] : outcomes) line += fmt::format(" {} x {}", count, served);
    std::cout << line << '\n';
    CHECK(point > 15);
  }
}

TEST_CASE("killed at every point, and the resume at every point, one healthy version serves",
          "[kill]") {
  const std::vector<Scenario> scenarios{
      {"deploy", Action::deploy, "v2", Manner::good, false},
      {"bad deploy", Action::deploy, "v2", Manner::lies, false},
      {"rollback", Action::rollback, "", Manner::good, false},
      {"recreate", Action::deploy, "v2", Manner::good, false, StrategyKind::recreate}};
  int pairs = 0;
  for (const Scenario& scenario : scenarios) {
    for (int first = 1; first < most_points; ++first) {
      bool first_killed = true;
      for (int second = 1; second < most_points; ++second) {
        FakeHost host;
        prepare(host, scenario);
        first_killed = killed(host, scenario.action, scenario.target, first);
        if (!first_killed || !killed(host, Action::resume, "", second)) break;
        INFO(scenario.name << " killed at " << first << ", its resume at " << second);
        const Report report = host.run(Action::resume);
        expect_settled(host, scenario, report);
        ++pairs;
      }
      if (!first_killed) break;
    }
  }
  std::cout << "pairs of kills: " << pairs << '\n';
  CHECK(pairs > 500);
}

TEST_CASE("a resume that is killed again and again gives up with a healthy version serving",
          "[kill]") {
  FakeHost host;
  prepare(host, {"rollback", Action::rollback, "", Manner::good, false});
  REQUIRE(killed(host, Action::rollback, "", 8));
  int resumes = 0;
  for (; resumes < 20 && killed(host, Action::resume, "", 6); ++resumes) {
  }
  CHECK(resumes <= 4);
  CHECK((host.served() == "rev-v1" || host.served() == "rev-v2"));
}
