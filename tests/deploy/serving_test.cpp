// What is told of who serves, of what failed, and to whom: what was seen, not what was meant.
#include "deploy/cli/status_text.hpp"
#include "fake_host.hpp"
#include "support/catch.hpp"

using namespace slipway;
using namespace slipway::test;

namespace {

// A host on which each of `tags` was deployed, one after the other.
struct Shipped : FakeHost {
  explicit Shipped(const std::vector<std::string>& tags) {
    for (const std::string& tag : tags) {
      publish(tag);
      REQUIRE(run(Action::deploy, tag).exit_code == ExitCode::done);
    }
  }
  FakeContainer& serving() { return containers.at(*active_now()); }
  std::optional<Colour> active_now() { return in_place() ? *solo.active() : map; }
};

}  // namespace

TEST_CASE("what hangs is started anew by whoever asks for it, and the report says so",
          "[serving]") {
  for (const Action action : {Action::deploy, Action::rollback}) {
    Shipped host({"v1"});
    host.serving().hangs = true;
    const Report report = host.run(action, "v1");
    INFO(report.message);
    CHECK(report.exit_code == ExitCode::done);
    CHECK(report.serves == true);
    CHECK_FALSE(report.steps.empty());
    CHECK_FALSE(host.serving().hangs);
    REQUIRE_FALSE(report.warnings.empty());
    CHECK_THAT(report.warnings.back(), ContainsSubstring("did not answer: it was started anew"));
    // It was not fled from: a rollback from the next version leads back to it.
    host.publish("v2");
    host.run(Action::deploy, "v2");
    CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
    CHECK(host.served() == "rev-v1");
  }
}

TEST_CASE("a resume with what should serve hanging is 5, and writes nothing", "[serving]") {
  Shipped host({"v1"});
  host.serving().hangs = true;
  const auto before = host.store.open_journal().value()->records().size();
  const Report report = host.run(Action::resume);
  CHECK(report.exit_code == ExitCode::needs_human);
  CHECK_THAT(report.message, ContainsSubstring("does not answer"));
  CHECK_THAT(report.next_step, ContainsSubstring("rollback sha256:1"));
  CHECK(host.store.open_journal().value()->records().size() == before);
  host.serving().hangs = false;
  CHECK(host.run(Action::resume).exit_code == ExitCode::done);
}

TEST_CASE("a resume says what it started, or that there is nothing to resume", "[serving]") {
  Shipped host({"v1"});
  CHECK_THAT(host.run(Action::resume).message, ContainsSubstring("there is nothing to resume"));
  host.serving().instance.running = false;
  host.serving().instance.exit_code = 137;
  host.serving().instance.ended = "2026-01-31T03:12:00.000Z";
  const Report report = host.run(Action::resume);
  CHECK(report.exit_code == ExitCode::done);
  CHECK_THAT(
      report.message,
      ContainsSubstring("was not running (ended with status 137 at 2026-01-31T03:12:00.000Z) "
                        "and was started") &&
          !ContainsSubstring("nothing to resume"));
  const Ledger ledger(host.store.open_journal().value()->records());
  CHECK(ledger.history().size() == 2);
  CHECK_THAT(history_lines(ledger.history(), 0), ContainsSubstring("resume   exit 0") &&
                                                     ContainsSubstring("done: v1") &&
                                                     ContainsSubstring("and was started"));
  CHECK_FALSE(ledger.open());
  CHECK(ledger.proven().size() == 1);
}

TEST_CASE("a status says when what should serve died, and what the last operation came to",
          "[serving]") {
  Shipped host({"v1"});
  host.publish("v2", Manner::lies);
  host.run(Action::deploy, "v2");
  Ports made = host.ports();
  Options options;
  options.action = Action::status;
  const auto told = [&] { return Session(made, options, "tester").status().value(); };
  CHECK_THAT(status_lines(told(), {}), ContainsSubstring("last: t") &&
                                           ContainsSubstring("deploy   exit 4") &&
                                           !ContainsSubstring("restarts: "));
  host.serving().instance.restart_count = 2;
  host.serving().instance.ended = "2026-01-31T03:12:00.000Z";
  CHECK_THAT(status_lines(told(), {}), ContainsSubstring("restarts: 2 since it was deployed; it "
                                                         "last ended at 2026-01-31T03:12:00"));
  host.serving().instance.running = false;
  host.serving().instance.exit_code = 137;
  CHECK_THAT(status_lines(told(), {}),
             ContainsSubstring("should, and does not run: it ended with status 137 at 2026-01-31"));
  CHECK_THAT(status_json(told(), {}),
             ContainsSubstring(R"("exitCode":137)") &&
                 ContainsSubstring(R"("ended":"2026-01-31T03:12:00.000Z")") &&
                 ContainsSubstring(R"("last":{)"));
}

TEST_CASE("a bad release over an old version that is dead is 5: nothing serves", "[serving]") {
  for (const bool hangs : {true, false}) {
    Shipped host({"v1"});
    host.publish("v2", Manner::lies);
    host.serving().hangs = hangs;
    host.serving().instance.running = hangs;
    const Report report = host.run(Action::deploy, "v2");
    INFO(report.message);
    CHECK(report.exit_code == ExitCode::needs_human);
    CHECK_THAT(meaning(report), ContainsSubstring("nothing that answers serves"));
    CHECK_THAT(running_line(report), ContainsSubstring("running: nothing that serves; sha256:1"));
  }
}

TEST_CASE("a refusal with what serves dead is no status 3", "[serving]") {
  Shipped host({"v1"});
  host.publish("v2");
  host.free_bytes = 0;
  CHECK(host.run(Action::deploy, "v2").exit_code == ExitCode::failed);
  host.serving().instance.running = false;
  const Report report = host.run(Action::deploy, "v2");
  CHECK(report.exit_code == ExitCode::needs_human);
  CHECK(report.serves == false);
}

TEST_CASE("what dies with its first users is taken back, and a rollback to it is 5", "[serving]") {
  for (const bool back : {false, true}) {
    Shipped there({"v1"});
    there.publish("v2");
    if (back) {
      there.run(Action::deploy, "v2");
      there.run(Action::rollback);
    }
    Ports made = there.ports();
    made.failpoint = [&](const std::string& name) {
      if (name == "flip:map:after") there.containers.at(Colour::green).hangs = true;
    };
    Options options;
    options.action = back ? Action::rollback : Action::deploy;
    options.target = back ? "v2" : there.reference("v2");
    const Report report = Session(made, options, "tester").run({});
    INFO(report.message);
    CHECK(report.exit_code == (back ? ExitCode::needs_human : ExitCode::rolled_back));
    CHECK(report.serves == !back);
    CHECK(there.served() == (back ? "rev-v2" : "rev-v1"));
  }
}

TEST_CASE("the status names what serves, and never what is stopped or silent as running",
          "[serving]") {
  Shipped host({"v1"});
  const auto status = [&] {
    Ports made = host.ports();
    Options options;
    options.action = Action::status;
    return Session(made, options, "tester").status().value();
  };
  const auto last_line = [&] {
    std::string text = status_lines(status(), {});
    text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  };
  CHECK(last_line().starts_with("running: sha256:1"));
  CHECK_THAT(status_lines(status(), {}), !ContainsSubstring("next: "));
  host.serving().hangs = true;
  CHECK_THAT(last_line(),
             ContainsSubstring("running: nothing that serves; sha256:1") &&
                 ContainsSubstring("should, and does not answer as it should: no answer"));
  host.serving().instance.running = false;
  CHECK_THAT(last_line(), ContainsSubstring("should, and does not run"));
  CHECK_THAT(status_lines(status(), {}),
             ContainsSubstring("next: 'rollback --resume' starts again"));
  host.serving() = {};
  CHECK(status().should_serve());
  CHECK_FALSE(status().healthy());
  FakeHost empty;
  Ports made = empty.ports();
  Options options;
  options.action = Action::status;
  CHECK_FALSE(Session(made, options, "tester").status().value().should_serve());
}

TEST_CASE("only the configured repository is deployed, and a key chooses none", "[session]") {
  FakeHost host;
  host.publish("v1");
  const auto deploy = [&](bool root) {
    Ports made = host.ports();
    made.shows_words = root;
    Options options;
    options.target = host.reference("v1");
    return Session(made, options, "tester").run({}).exit_code;
  };
  CHECK(deploy(false) == ExitCode::usage);
  host.config.repository = "registry.test/other";
  CHECK(deploy(true) == ExitCode::usage);
  CHECK(host.pulls == 0);
  host.config.repository = "registry.test/api";
  CHECK(deploy(false) == ExitCode::done);
  for (const char* name : {"docker.io/acme/x", "index.docker.io/acme/x", "acme/x"}) {
    CHECK(normalised_repository(name) == "acme/x");
  }
  CHECK(normalised_repository("docker.io/library/nginx") == "nginx");
  CHECK(normalised_repository("ghcr.io/acme/x") == "ghcr.io/acme/x");
}

TEST_CASE("what an image said is for root, and the reason for everybody", "[session]") {
  for (const bool root : {true, false}) {
    FakeHost host;
    host.config.repository = "registry.test/api";
    host.publish("v1", Manner::exits);
    host.said = "t o k e n";
    Ports made = host.ports();
    made.shows_words = root;
    Options options;
    options.target = host.reference("v1");
    Session session(made, options, "tester");
    const Report report = session.run({});
    CHECK((to_json_text(report).find("t o k e n") != std::string::npos) == root);
    CHECK_THAT(report.message, ContainsSubstring("status 42"));
    const auto told = session.history().value().operation(report.transaction);
    REQUIRE(told.has_value());
    CHECK(told->message.find("t o k e n") == std::string::npos);
    CHECK(told->steps[3].said == "t o k e n");
  }
}

TEST_CASE("the failing step is the reason, and one that was passed over is a warning",
          "[session]") {
  FakeHost host;
  host.publish("v1");
  host.publish("v2");
  host.run(Action::deploy, "v1");
  Ports made = host.ports();
  made.failpoint = [&](const std::string& point) {
    const bool on_way_back =
        !host.containers.count(Colour::green) || host.containers.at(Colour::green).hangs;
    if (point == "drain:signal:before" && !on_way_back)
      host.containers.at(Colour::blue).instance.running = false;
    if (point == "drain:done:before") {
      host.containers.at(Colour::green).hangs = true;
      host.containers.at(Colour::blue).instance.running = true;
    }
  };
  Options options;
  options.target = host.reference("v2");
  const Report report = Session(made, options, "tester").run({});
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::rolled_back);
  CHECK_THAT(report.message, ContainsSubstring("does not answer any more since it serves"));
  REQUIRE_FALSE(report.warnings.empty());
  CHECK_THAT(report.warnings[0], ContainsSubstring("drain: "));
}

TEST_CASE("what is configured and not applied refuses a deploy, and is told where it does not",
          "[serving]") {
  Shipped host({"v1", "v2"});
  host.publish("v3");
  host.unapplied = "HAProxy was made with another image";
  const Report refused = host.run(Action::deploy, "v3");
  CHECK(refused.exit_code == ExitCode::failed);
  CHECK_THAT(refused.message, ContainsSubstring("another image"));
  CHECK(refused.next_step == "make it anew");
  for (const auto& [action, tag] :
       {std::pair{Action::deploy, "v2"}, {Action::rollback, "v1"}, {Action::rollback, "v1"}}) {
    const Report report = host.run(action, tag);
    CHECK(report.exit_code == ExitCode::done);
    REQUIRE(report.warnings.size() == 1);
    CHECK_THAT(report.warnings[0], ContainsSubstring("another image"));
  }
}

TEST_CASE("what recreate stops is kept as a file, and only a deploy asks for the room",
          "[serving]") {
  FakeHost host;
  host.config.strategy = StrategyKind::recreate;
  for (const char* tag : {"v1", "v2", "v3"}) host.publish(tag);
  host.run(Action::deploy, "v1");
  CHECK(host.archived == std::set<std::string>{"v1"});
  // By tools that kept none.
  host.archived.clear();
  host.run(Action::deploy, "v2");
  CHECK(host.archived == std::set<std::string>{"v1", "v2"});
  host.archive_error = "no space left";
  const Report refused = host.run(Action::deploy, "v3");
  CHECK(refused.exit_code == ExitCode::failed);
  CHECK_THAT(refused.message, ContainsSubstring("no space left"));
  CHECK(host.served() == "rev-v2");
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}
