#include "base/json.hpp"
#include "fake_host.hpp"
#include "support/catch.hpp"

using namespace slipway;
using namespace slipway::test;

TEST_CASE("a first deploy on an empty host starts HAProxy and serves", "[session]") {
  FakeHost host;
  host.publish("v1");
  const Report report = host.run(Action::deploy, "v1");
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
  CHECK(report.running->tag == "v1");
  CHECK(report.seconds_to_healthy.has_value());
}

TEST_CASE("a rollback is one flip to the warm colour and needs no registry", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  host.run(Action::deploy, "v2");
  CHECK(host.served() == "rev-v2");
  CHECK(host.containers[Colour::blue].role == "drained");
  host.registry_up = false;
  const int pulls = host.pulls;
  const Report report = host.run(Action::rollback);
  CHECK(report.exit_code == ExitCode::done);
  CHECK(report.warm);
  CHECK(host.served() == "rev-v1");
  CHECK(host.pulls == pulls);
}

TEST_CASE("a bad release is taken back and the old version never stops serving", "[session]") {
  for (const Manner manner : {Manner::exits, Manner::never_ready, Manner::lies, Manner::probe_fails,
                              Manner::dies_when_promoted}) {
    FakeHost host;
    host.publish("v1");
    host.publish("v2", manner);
    host.run(Action::deploy, "v1");
    const Report report = host.run(Action::deploy, "v2");
    INFO(static_cast<int>(manner) << " " << report.message);
    CHECK(report.exit_code == ExitCode::rolled_back);
    CHECK(host.served() == "rev-v1");
    CHECK(report.running->tag == "v1");
    CHECK(host.containers.count(Colour::green) == 0);
  }
}

TEST_CASE("a failed deploy leaves the version before the last one warm again", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.publish("v3", Manner::lies);
  host.run(Action::deploy, "v1");
  host.run(Action::deploy, "v2");
  CHECK(host.run(Action::deploy, "v3").exit_code == ExitCode::rolled_back);
  CHECK(host.containers[Colour::blue].revision == "rev-v1");
  const Report report = host.run(Action::rollback);
  CHECK(report.warm);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("a tag that does not exist touches nothing and lists what is known", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.run(Action::deploy, "v1");
  const Report report = host.run(Action::deploy, "v9");
  CHECK(report.exit_code == ExitCode::unavailable);
  CHECK_THAT(report.next_step, ContainsSubstring("v1"));
  CHECK(host.served() == "rev-v1");
  CHECK(host.containers.size() == 1);
}

TEST_CASE("a rollback with nothing to go back to is refused with 7", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.run(Action::deploy, "v1");
  CHECK(host.run(Action::rollback).exit_code == ExitCode::unavailable);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("deploying what serves already changes nothing", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.run(Action::deploy, "v1");
  const Report report = host.run(Action::deploy, "v1");
  CHECK(report.exit_code == ExitCode::done);
  CHECK(report.steps.empty());
  CHECK(host.containers.size() == 1);
}

TEST_CASE("a flip that HAProxy refuses leaves the old version and the file in agreement",
          "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  host.flip_broken = true;
  const Report report = host.run(Action::deploy, "v2");
  CHECK(report.exit_code == ExitCode::failed);
  CHECK(host.served() == "rev-v1");
  CHECK(host.file == host.map);
}

TEST_CASE("an engine that cannot start the candidate fails with 3 and changes nothing",
          "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  host.start_error = "no space left on device";
  const Report report = host.run(Action::deploy, "v2");
  CHECK(report.exit_code == ExitCode::failed);
  CHECK_THAT(report.message, ContainsSubstring("no space"));
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("a stop request turns a deploy back and leaves a rollback alone", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  host.run(Action::deploy, "v2");
  std::stop_source stop;
  stop.request_stop();
  CHECK(host.run(Action::rollback, "", stop.get_token()).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
  host.publish("v3");
  CHECK(host.run(Action::deploy, "v3", stop.get_token()).exit_code == ExitCode::interrupted);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("a warm colour that died is started anew", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  host.run(Action::deploy, "v2");
  host.containers[Colour::blue].instance.running = false;
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("a lost journal is rebuilt from what runs and what is held", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  host.run(Action::deploy, "v2");
  std::filesystem::remove(host.directory.path() / "journal");
  const Report report = host.run(Action::rollback);
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("a map that names no colour of ours is 8 and nothing is touched", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  host.kill_at = 12;
  REQUIRE_THROWS_AS(host.run(Action::deploy, "v2"), Killed);
  host.kill_at = -1;
  host.map_garbled = true;
  const auto before = host.containers.size();
  CHECK(host.run(Action::resume).exit_code == ExitCode::ambiguous);
  CHECK(host.containers.size() == before);
}

TEST_CASE("an instance that came back as a standby is promoted by the next command", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.run(Action::deploy, "v1");
  host.containers[Colour::blue].role = "standby";  // as after a reboot
  CHECK(host.run(Action::resume).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("with recreate one container replaces the other, after the pull, and the gap is reported",
          "[session]") {
  FakeHost host;
  host.config.strategy = StrategyKind::recreate;
  host.publish("v1");
  host.publish("v2");
  REQUIRE(host.run(Action::deploy, "v1").exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
  const Report report = host.run(Action::deploy, "v2");
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v2");
  CHECK(report.seconds_without_service.has_value());
  const Report back = host.run(Action::rollback);
  CHECK(back.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
  // A pull that fails stops nothing.
  host.registry_up = false;
  host.passed.clear();
  CHECK(host.run(Action::deploy, "v3").exit_code == ExitCode::unavailable);
  CHECK(host.passed.empty());
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("with recreate a bad version is replaced by the old one again", "[session]") {
  for (const Manner manner : {Manner::exits, Manner::never_ready, Manner::lies, Manner::probe_fails,
                              Manner::dies_when_promoted}) {
    FakeHost host;
    host.config.strategy = StrategyKind::recreate;
    host.publish("v1");
    host.publish("v2", manner);
    host.run(Action::deploy, "v1");
    const Report report = host.run(Action::deploy, "v2");
    INFO(static_cast<int>(manner) << " " << report.message);
    CHECK(report.exit_code == ExitCode::rolled_back);
    CHECK(host.served() == "rev-v1");
    CHECK(report.running->tag == "v1");
  }
}

TEST_CASE("resume starts a serving colour that the engine left down", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.run(Action::deploy, "v1");
  host.containers[Colour::blue].instance.running = false;
  const Report report = host.run(Action::resume);
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("status 3 says that the old version serves only where it was seen to", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.start_error = "no space left on device";
  CHECK_THAT(meaning(host.run(Action::deploy, "v1")), ContainsSubstring("nothing serves yet"));
  host.start_error.clear();
  host.run(Action::deploy, "v1");
  host.start_error = "no space left on device";
  CHECK_THAT(meaning(host.run(Action::deploy, "v2")), ContainsSubstring("still serves"));
  host.containers[Colour::blue].instance.running = false;
  CHECK_THAT(meaning(host.run(Action::deploy, "v2")), ContainsSubstring("nothing that answers"));
  host.engine_up = false;
  const Report blind = host.run(Action::deploy, "v2");
  CHECK(blind.exit_code == ExitCode::failed);
  CHECK_THAT(meaning(blind), ContainsSubstring("cannot be seen"));
  CHECK(running_line(blind) == "running: unknown");
}

TEST_CASE("too little room is refused before anything is touched, but not to a warm version",
          "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  host.free_bytes = (std::uint64_t{1} << 20) - 1;
  const Report report = host.run(Action::deploy, "v2");
  CHECK(report.exit_code == ExitCode::failed);
  CHECK(report.message == "the disk has 0 MB free and 1 MB are needed");
  CHECK(report.next_step == "buy a larger one");
  CHECK(host.passed.empty());
  host.free_bytes += 1;
  CHECK(host.run(Action::deploy, "v2").exit_code == ExitCode::done);
  host.free_bytes = 0;
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
}

TEST_CASE("a file that the configuration names and that is missing is 2, with file and remedy",
          "[session]") {
  FakeHost host;
  host.publish("v1");
  host.config.environment_file = host.directory.path() / "service.env";
  const Report report = host.run(Action::deploy, "v1");
  CHECK(report.exit_code == ExitCode::usage);
  CHECK_THAT(report.message, ContainsSubstring(host.config.environment_file.string()));
  CHECK_THAT(report.next_step, ContainsSubstring("chmod 600"));
  CHECK(host.pulls == 0);
}

TEST_CASE("an image that cannot be pulled leads to the registry and to what is here", "[session]") {
  FakeHost host;
  host.publish("v1");
  host.run(Action::deploy, "v1");
  for (const bool registry_up : {true, false}) {
    host.registry_up = registry_up;
    const Report report = host.run(Action::deploy, "v9");
    CHECK(report.exit_code == ExitCode::unavailable);
    CHECK_THAT(report.next_step, ContainsSubstring("logged in"));
    CHECK_THAT(report.next_step, ContainsSubstring("v1"));
  }
}

TEST_CASE("a rollback from a dead version goes to the one that lives, whatever its past",
          "[session]") {
  for (const bool gone : {false, true}) {
    FakeHost host;
    for (const char* tag : {"v0", "v1", "v2"}) {
      host.publish(tag);
      REQUIRE(host.run(Action::deploy, tag).exit_code == ExitCode::done);
    }
    REQUIRE(host.run(Action::rollback).exit_code == ExitCode::done);
    REQUIRE(host.served() == "rev-v1");
    const Colour serving = *host.map;
    host.containers[serving].instance.running = false;
    if (gone) host.containers.erase(serving);
    const Report report = host.run(Action::rollback);
    INFO(report.message);
    CHECK(report.exit_code == ExitCode::done);
    CHECK(report.warm);
    CHECK(host.served() == "rev-v2");
    REQUIRE(report.warnings.size() == 1);
    CHECK_THAT(report.warnings[0], ContainsSubstring("rolled back from"));
  }
}

TEST_CASE("while what serves lives, a second rollback never leads back, and says what does",
          "[session]") {
  FakeHost host;
  const Release v2 = host.publish("v2");
  host.publish("v1");
  host.run(Action::deploy, "v1");
  host.run(Action::deploy, "v2");
  host.run(Action::rollback);
  const Report report = host.run(Action::rollback);
  CHECK(report.exit_code == ExitCode::unavailable);
  CHECK_THAT(report.next_step, ContainsSubstring("rollback " + v2.digest));
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("what a probe and a dying container said is shown, without what they were told",
          "[session]") {
  for (const Manner manner : {Manner::probe_fails, Manner::exits}) {
    FakeHost host;
    host.publish("v1", manner);
    host.config.environment_file = host.directory.path() / "service.env";
    std::ofstream(host.config.environment_file) << "# tokens\nBOB_TOKEN=\"bob-secret\"\nA=b\n";
    std::ofstream(host.config.config_directory / "main" / "main.json")
        << R"({"accounts":[{"token":"in-the-file"},{"btp":{"url":"btp+ws://:in-a-url@host:1/"}}]})";
    host.said = std::string(5000, 'x') +
                "\nno account has bob-secret, in-the-file or in-a-url\x1b[2J \xff" + "\n\n";
    const Report report = host.run(Action::deploy, "v1");
    INFO(report.message);
    CHECK_THAT(report.message, ContainsSubstring("no account has ***, *** or ***"));
    CHECK(report.message.find('\x1b') == std::string::npos);
    CHECK(report.message.size() < 2500);
    const auto parsed = parse_json(to_json_text(report));
    CHECK_THAT(parsed.value("message", ""), ContainsSubstring("no account"));
  }
}
