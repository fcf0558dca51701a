// What a tired operator does, and what breaks under an operation that goes on.
#include "shipped.hpp"

#include <csignal>
#include <sys/resource.h>

using namespace slipway;
using namespace slipway::test;

namespace {

// While it lives no file can grow, as on a disk that is full.
class FullDisk {
 public:
  FullDisk() : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) { ::getrlimit(RLIMIT_FSIZE, &before_); }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

  void fill() const {
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }

 private:
  rlimit before_{};
  void (*old_handler_)(int);
};

}  // namespace

TEST_CASE("rollback after rollback goes further back, until nothing is left", "[odd]") {
  FakeHost host;
  ship(host, {"v0", "v1", "v2"});
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v0");
  CHECK(host.run(Action::rollback).exit_code == ExitCode::unavailable);
  CHECK(host.served() == "rev-v0");
  // Named, what was fled from is taken, and what it leaves is not chosen by itself.
  CHECK(host.run(Action::rollback, "v2").exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v2");
}

TEST_CASE("a rollback right after a deploy that failed goes to the version before", "[odd]") {
  FakeHost host;
  ship(host, {"v1", "v2"});
  host.publish("v3", Manner::lies);
  CHECK(host.run(Action::deploy, "v3").exit_code == ExitCode::rolled_back);
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
  // Named, what never proved itself is refused, and nothing is touched.
  const Report refused = host.run(Action::rollback, "v3");
  CHECK(refused.exit_code == ExitCode::unavailable);
  CHECK_THAT(refused.next_step, ContainsSubstring("deploy registry.test/api@sha256:3"));
  CHECK(host.passed.empty());
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("deploying the version before is a warm swap, and a rollback undoes it", "[odd]") {
  FakeHost host;
  ship(host, {"v1", "v2", "v1"});
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v2");
}

TEST_CASE("deploying again what was rolled back from makes it a version like any other", "[odd]") {
  FakeHost host;
  ship(host, {"v1", "v2"});
  host.run(Action::rollback);
  ship(host, {"v2", "v3"});
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v2");
}

TEST_CASE("the same image with another configuration is another version, and goes back alike",
          "[odd]") {
  FakeHost host;
  ship(host, {"v1"});
  const std::string before = host.containers[*host.map].instance.snapshot;
  std::ofstream(host.config.config_directory / "main" / "main.json") << "{\"changed\":1}\n";
  const Report changed = host.run(Action::deploy, "v1");
  CHECK(changed.exit_code == ExitCode::done);
  CHECK_FALSE(changed.steps.empty());
  CHECK(host.containers[*host.map].instance.snapshot != before);
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.containers[*host.map].instance.snapshot == before);
}

TEST_CASE("a rollback to what serves changes nothing", "[odd]") {
  FakeHost host;
  ship(host, {"v1", "v2"});
  const Report report = host.run(Action::rollback, "v2");
  CHECK(report.exit_code == ExitCode::done);
  CHECK(report.steps.empty());
}

TEST_CASE("on a full disk a rollback to a warm version is done or refused, never half", "[odd]") {
  FakeHost host;
  ship(host, {"v1", "v2"});
  Report report;
  {
    const FullDisk disk;
    disk.fill();
    report = host.run(Action::rollback);
  }
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::failed);
  CHECK(host.served() == "rev-v2");
  CHECK(host.run(Action::rollback).exit_code == ExitCode::done);
  CHECK(host.served() == "rev-v1");
}

TEST_CASE("a journal that cannot be read is 8 and nothing is touched", "[odd]") {
  FakeHost host;
  ship(host, {"v1", "v2"});
  std::filesystem::remove(host.directory.path() / "journal");
  std::filesystem::create_directory(host.directory.path() / "journal");
  const Report report = host.run(Action::rollback);
  INFO(report.message);
  CHECK(report.exit_code == ExitCode::ambiguous);
  CHECK(host.passed.empty());
  CHECK(host.served() == "rev-v2");
}

TEST_CASE("whatever breaks at whatever point, a healthy version serves, and a resume settles it",
          "[odd]") {
  const FullDisk disk;
  struct Breakage {
    std::string name;
    std::function<void(FakeHost&)> begin;
    std::function<void(FakeHost&)> end;
  };
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const std::vector<Breakage> breakages{
      {"disk full", [&](FakeHost&) { disk.fill(); },
       [&](FakeHost&) { ::setrlimit(RLIMIT_FSIZE, &before); }},
      {"engine away", [](FakeHost& host) { host.engine_up = false; },
       [](FakeHost& host) { host.engine_up = true; }},
      {"HAProxy away", [](FakeHost& host) { host.proxy_up = false; }, [](FakeHost&) {}},
      {"old version dead",
       [](FakeHost& host) { host.containers.at(Colour::blue).instance.running = false; },
       [](FakeHost&) {}},
      {"HAProxy keeps its map", [](FakeHost& host) { host.flip_broken = true; },
       [](FakeHost& host) { host.flip_broken = false; }}};
  for (const Breakage& breakage : breakages) {
    for (const Action action : {Action::deploy, Action::rollback}) {
      for (int point = 1; point < 100; ++point) {
        FakeHost host;
        ship(host, {"v1"});
        host.publish("v2");
        if (action == Action::rollback) ship(host, {"v2", "v1", "v2"});
        host.fault_at = point;
        host.fault = [&] { breakage.begin(host); };
        const Report report = host.run(action, action == Action::deploy ? "v2" : "");
        const bool happened = host.points >= point;
        host.fault_at = -1;
        breakage.end(host);
        INFO(breakage.name << " at " << point << " of " << report.operation << ": exit "
                           << static_cast<int>(report.exit_code) << ", " << report.message);
        const std::string at_once = host.served();
        INFO("served " << at_once << ", then");
        // What takes nothing away that serves costs users nothing, before any resume.
        if (host.proxy_up && host.containers.at(*host.map).instance.running) {
          CHECK((at_once == "rev-v1" || at_once == "rev-v2"));
        }
        const Report resumed = host.run(Action::resume);
        INFO(resumed.message << ", served " << host.served());
        CHECK((host.served() == "rev-v1" || host.served() == "rev-v2"));
        CHECK(host.proxy_up);
        CHECK(host.file == host.map);
        CHECK(host.run(Action::resume).exit_code == ExitCode::done);
        CHECK(host.run(Action::deploy, "v2").exit_code == ExitCode::done);
        CHECK(host.served() == "rev-v2");
        if (!happened) break;
      }
    }
  }
}
