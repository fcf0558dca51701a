// What an operation that went wrong, a hand or a reboot left behind, and what the next command
// makes of it.
#include "base/unique_fd.hpp"
#include "deploy/cli/report_output.hpp"
#include "deploy/model/plan_json.hpp"
#include "deploy/state/file_snapshot.hpp"
#include "shipped.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace slipway;
using namespace slipway::test;

namespace {

Report dry_run(FakeHost& host, Action action, const std::string& target = "") {
  Options options;
  options.action = action;
  options.target = action == Action::deploy ? host.reference(target) : target;
  options.dry_run = true;
  Ports made = host.ports();
  return Session(made, options, "tester").dry_run();
}

std::size_t records(FakeHost& host) {
  return host.store.open_journal().value()->records().size();
}

Ledger ledger(FakeHost& host) {
  return Ledger(host.store.open_journal().value()->records());
}

}  // namespace

TEST_CASE("what should serve and was removed by hand is 5, and named with the way back",
          "[aftermath]") {
  FakeHost host;
  CHECK(host.run(Action::resume).exit_code == ExitCode::done);  // nothing ever served
  ship(host, {"v1"});
  host.containers.clear();
  const auto before = records(host);
  const Report report = host.run(Action::resume);
  CHECK(report.exit_code == ExitCode::needs_human);
  CHECK_THAT(report.message, ContainsSubstring("v1") && ContainsSubstring("not on this host"));
  CHECK(records(host) == before);
  CHECK(dry_run(host, Action::resume).exit_code == ExitCode::needs_human);
  REQUIRE(report.next_step.starts_with("'rollback sha256:"));
  const std::string named = report.next_step.substr(10, report.next_step.find("' starts") - 10);
  const Report anew = host.run(Action::rollback, named);
  INFO(anew.message);
  CHECK(anew.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("what never proved itself is not warm, though it runs", "[aftermath]") {
  FakeHost host;
  ship(host, {"v1"});
  const Release v2 = host.publish("v2", Manner::probe_fails);
  Ports made = host.ports();
  made.failpoint = [&](const std::string& point) {
    if (point == "abandon:remove:before") host.engine_up = false;
  };
  Options options;
  options.target = host.reference("v2");
  (void)Session(made, options, "tester").run({});
  host.engine_up = true;
  REQUIRE(host.containers.at(Colour::green).instance.running);
  const Report again = host.run(Action::deploy, "v2");
  INFO(again.message);
  CHECK_FALSE(again.warm);
  CHECK(again.exit_code == ExitCode::rolled_back);
  CHECK_THAT(again.message, ContainsSubstring("a real request"));
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("a version that changed the data bars the way back also after a rollback from it",
          "[aftermath]") {
  FakeHost host;
  for (const char* tag : {"v4", "v6", "v9"}) host.publish(tag);
  host.registry["v9"].release.oldest_return = "5";
  ship(host, {"v4", "v6", "v9"});
  CHECK(host.run(Action::rollback, "v4").exit_code == ExitCode::failed);
  CHECK(host.run(Action::rollback, "v6").exit_code == ExitCode::done);
  const Report further = host.run(Action::rollback, "v4");
  CHECK(further.exit_code == ExitCode::failed);
  CHECK_THAT(further.message, ContainsSubstring("v9") && ContainsSubstring("than to 5"));
  host.containers.clear();  // nobody is asked what serves
  CHECK(host.run(Action::rollback, "v4").exit_code != ExitCode::done);
  CHECK(host.run(Action::rollback, "v9").exit_code == ExitCode::done);  // forward again
}

TEST_CASE("a bake whose counters cannot be read is inconclusive, and over a dead version done",
          "[aftermath]") {
  for (const bool dead : {false, true}) {
    FakeHost host;
    host.describe("bake: { window: 1s, longest: 5s }");
    ship(host, {"v1"});
    host.publish("v2");
    host.counters_readable = false;
    host.containers.at(Colour::blue).hangs = dead;
    const Report report = host.run(Action::deploy, "v2");
    INFO(report.message);
    CHECK(report.exit_code == (dead ? ExitCode::done : ExitCode::rolled_back));
    const auto bake = std::find_if(report.steps.begin(), report.steps.end(),
                                   [](const StepReport& step) { return step.name == "bake"; });
    REQUIRE(bake != report.steps.end());
    CHECK_THAT(bake->detail, ContainsSubstring("inconclusive") &&
                                 ContainsSubstring("the counters were not told"));
  }
}

TEST_CASE("after a reboot what serves may take a while to answer, and is promoted then",
          "[aftermath]") {
  FakeHost host;
  ship(host, {"v1"});
  host.containers.at(Colour::blue).role = "standby";
  host.containers.at(Colour::blue).silent_until = host.time + std::chrono::seconds(4);
  const Report report = host.run(Action::resume);
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("what ends again is given up at once, and is the container that it was", "[aftermath]") {
  FakeHost host;
  ship(host, {"v1"});
  FakeContainer& serving = host.containers.at(Colour::blue);
  serving.instance.running = false;
  serving.manner = Manner::exits;
  const auto before = host.time;
  const Report report = host.run(Action::resume);
  CHECK(report.exit_code == ExitCode::needs_human);
  CHECK_THAT(report.message, ContainsSubstring("does not answer"));
  CHECK(host.time - before < std::chrono::seconds(2));
  CHECK(std::count(host.passed.begin(), host.passed.end(), "start_again:before") == 1);
  serving.manner = Manner::good;
  CHECK(host.run(Action::resume).exit_code == ExitCode::done);
}

TEST_CASE("an engine that is away is told once", "[aftermath]") {
  FakeHost host;
  ship(host, {"v1"});
  host.publish("v2");
  host.engine_up = false;
  CHECK(host.run(Action::deploy, "v2").exit_code == ExitCode::failed);
  host.engine_up = true;
  CHECK(ledger(host).history().size() == 2);
}

TEST_CASE("a resume that finds all as it should be is no news", "[aftermath]") {
  FakeHost host;
  ship(host, {"v1"});
  CHECK(host.run(Action::resume).began_nothing);
  host.containers.at(Colour::blue).instance.running = false;
  CHECK_FALSE(host.run(Action::resume).began_nothing);
  CHECK_FALSE(host.run(Action::rollback, "v1").began_nothing);
}

TEST_CASE("whoever stops a deploy while its image is verified is told that it was stopped",
          "[aftermath]") {
  FakeHost host;
  host.publish("v1");
  host.config.verify_command = {"sleep", "20"};
  std::stop_source stop;
  stop.request_stop();
  CHECK(host.run(Action::deploy, "v1", stop.get_token()).exit_code == ExitCode::interrupted);
}

TEST_CASE("a lost journal is rebuilt in the order in which the versions came", "[aftermath]") {
  FakeHost host;
  ship(host, {"v1", "v2", "v3"});
  host.containers.erase(Colour::green);
  host.containers.erase(Colour::blue);
  ship(host, {"v3"});  // serves, and nothing waits beside it
  std::filesystem::remove(host.directory.path() / "journal");
  const Report report = host.run(Action::rollback);
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v2");
}

TEST_CASE("whoever may not begin is told what runs, and nothing is written", "[aftermath]") {
  FakeHost host;
  ship(host, {"v1"});
  const auto before = records(host);
  Ports ports = host.ports();
  Options options;
  options.action = Action::deploy;
  const Error held{ErrorKind::busy, "another operation holds the lock", "follow it"};
  const Report report = Session(ports, options, "tester").not_begun(ExitCode::locked, held);
  CHECK(report.exit_code == ExitCode::locked);
  CHECK(report.serves == true);
  CHECK_THAT(running_line(report), ContainsSubstring("running: sha256:"));
  CHECK(records(host) == before);
}

TEST_CASE("a warm colour that was restarted once has its time to answer again", "[aftermath]") {
  FakeHost host;
  ship(host, {"v1", "v2"});
  host.containers.at(Colour::blue).instance.restart_count = 1;
  host.containers.at(Colour::blue).silent_until = host.time + std::chrono::seconds(3);
  const Report report = host.run(Action::rollback);
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("a dry run says what would be done, and refuses what would be refused", "[aftermath]") {
  FakeHost host;
  ship(host, {"v1"});
  host.publish("v2");
  const auto before = records(host);
  CHECK_THAT(dry_run(host, Action::deploy, "v2").message,
             ContainsSubstring("would deploy from v1"));
  CHECK_THAT(dry_run(host, Action::resume).message, ContainsSubstring("nothing to resume"));
  CHECK(dry_run(host, Action::resume).exit_code == ExitCode::done);
  const Report same = dry_run(host, Action::rollback, "v1");
  CHECK(same.exit_code == ExitCode::done);
  CHECK_THAT(same.message, ContainsSubstring("serves already; nothing was changed"));
  host.free_bytes = 0;
  CHECK(dry_run(host, Action::deploy, "v2").exit_code == ExitCode::failed);
  host.free_bytes = std::uint64_t{1} << 30;
  host.unapplied = "HAProxy was made with another image";
  CHECK(dry_run(host, Action::deploy, "v2").exit_code == ExitCode::failed);
  host.unapplied.clear();
  // What an image needs that was not pulled, nobody knows, and it is not refused for that.
  host.missing_port = service::Service{}.port;
  const Report unknown = dry_run(host, Action::deploy, "v2");
  CHECK(unknown.exit_code == ExitCode::done);
  CHECK_THAT(unknown.message, ContainsSubstring("it is not here: only a deploy can look at it"));
  host.missing_port = 0;
  host.containers.at(Colour::blue).instance.running = false;
  CHECK_THAT(dry_run(host, Action::resume).message, ContainsSubstring("would start v1"));
  CHECK_FALSE(host.containers.at(Colour::blue).instance.running);
  host.containers.at(Colour::blue).instance.running = true;
  CHECK(records(host) == before);

  host.kill_at = 20;
  REQUIRE_THROWS_AS(host.run(Action::deploy, "v2"), Killed);
  host.kill_at = -1;
  const auto cut = records(host);
  CHECK_THAT(
      dry_run(host, Action::resume).message,
      ContainsSubstring("would go on with transaction") && ContainsSubstring("deploy of v2"));
  CHECK(records(host) == cut);
  CHECK(ledger(host).open());
}

TEST_CASE("a label of anybody's is no release unless all of it is text", "[aftermath]") {
  CHECK(parse_release(R"({"digest":"sha256:1"})"));
  for (const char* bad :
       {R"({"digest":1})", R"({"digest":"x","tag":null})", R"({"version":["1"]})", "[]", "x", ""}) {
    INFO(bad);
    CHECK_FALSE(parse_release(bad));
  }
}

TEST_CASE("a snapshot of which a part is gone is written again, and none is made up",
          "[aftermath]") {
  FakeHost host;
  ship(host, {"v1"});
  const Release release = *ledger(host).find("v1");
  const SnapshotPaths paths(host.config, release.snapshot);
  REQUIRE(std::filesystem::exists(paths.environment_file));
  std::filesystem::remove_all(paths.directory);
  CHECK_FALSE(FileSnapshot::repair_modes(paths.directory).has_value());
  CHECK_FALSE(std::filesystem::exists(paths.directory));
  std::filesystem::create_directories(paths.config_directory);  // what earlier tools left
  const auto again = host.store.read_snapshot(release);
  REQUIRE(again.has_value());
  REQUIRE((*again)->hash() == release.snapshot);
  REQUIRE((*again)->write().has_value());
  CHECK(std::filesystem::exists(paths.environment_file));
  CHECK(std::filesystem::exists(paths.service_file));
}

TEST_CASE("what a page says is no part of what is said of it", "[aftermath]") {
  const HealthAnswer answer = parse_health(503, "a page");
  CHECK(objection(answer, {"abc"}) == "/health answered 503 without JSON");
  HealthGate gate({}, {"abc"}, {});
  Look look;
  look.answer = answer;
  (void)gate.feed({}, look);
  CHECK(gate.reason().find("a page") == std::string::npos);
  CHECK(gate.said() == "a page");
}

TEST_CASE("what a page says is told to root, with no part of a secret, and is no message",
          "[aftermath]") {
  for (const bool root : {true, false}) {
    FakeHost host;
    host.config.repository = "registry.test/api";
    host.config.environment_file = host.directory.path() / "service.env";
    std::ofstream(host.config.environment_file) << "TOKEN=hunter2-hunter2\n";
    host.publish("v1", Manner::never_ready);
    // Cut at 200 before the secret is looked for, half of it would be left.
    host.page_said = std::string(193, 'x') + "hunter2-hunter2";
    Ports made = host.ports();
    made.shows_words = root;
    Options options;
    options.target = host.reference("v1");
    Session session(made, options, "tester");
    const Report report = session.run({});
    INFO(report.message);
    CHECK((report.message.find("xxx***") != std::string::npos) == root);
    const auto told = session.history().value().operation(report.transaction);
    REQUIRE(told.has_value());
    CHECK(told->message.find("xxx") == std::string::npos);
    for (const Performed& step : told->steps) {
      CHECK(step.detail.find("xxx") == std::string::npos);
      CHECK(step.said.find("hunter") == std::string::npos);
    }
  }
}

TEST_CASE("a report is written behind a link, and into what is no file", "[aftermath]") {
  const TemporaryDirectory folder;
  const auto file = folder.path() / "report.json";
  const auto link = folder.path() / "latest.json";
  const auto fifo = folder.path() / "fifo";
  std::filesystem::create_symlink("report.json", link);
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const UniqueFd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK));
  Options options;
  for (const auto& asked : {link, fifo}) {
    options.report_file = asked.string();
    write_report(Report{}, options, "deploy");
  }
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::is_regular_file(file));
  CHECK(std::filesystem::is_fifo(fifo));
  char first = 0;
  CHECK(::read(reader.get(), &first, 1) == 1);
  CHECK(first == '{');
}
