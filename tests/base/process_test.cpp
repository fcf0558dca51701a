#include "base/process.hpp"

#include "base/durable_file.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <signal.h>
#include <thread>

using namespace slipway;
using namespace std::chrono_literals;

TEST_CASE("a command's outputs and exit status are captured apart", "[process]") {
  const auto output = run_command({.argv = {"sh", "-c", "echo out; echo err >&2; exit 7"}});
  REQUIRE(output.has_value());
  CHECK(output->exit_status == 7);
  CHECK(output->out == "out\n");
  CHECK(output->err == "err\n");
}

TEST_CASE("a command killed by a signal reports it as a shell does", "[process]") {
  CHECK(run_command({.argv = {"sh", "-c", "kill -9 $$"}})->exit_status == 137);
}

TEST_CASE("a program that does not exist is told apart", "[process]") {
  const auto failed = run_command({.argv = {"no-such-program-here"}});
  REQUIRE(failed.has_error());
  CHECK(failed.error().kind == ErrorKind::not_found);
}

TEST_CASE("an output larger than a pipe and the limit does not block the command", "[process]") {
  const auto output = run_command(
      {.argv = {"sh", "-c", "head -c 3000000 /dev/zero; echo end >&2"}, .output_limit = 1000});
  REQUIRE(output.has_value());
  CHECK(output->exit_status == 0);
  CHECK(output->out.size() == 1000);
  CHECK(output->err == "end\n");
}

TEST_CASE("a whole output under the limit arrives", "[process]") {
  const auto output = run_command({.argv = {"sh", "-c", "head -c 300000 /dev/zero"}});
  CHECK(output->out.size() == 300000);
}

TEST_CASE("a command that outlives its deadline is killed with its children", "[process]") {
  const auto begin = std::chrono::steady_clock::now();
  const auto failed = run_command({.argv = {"sh", "-c", "sleep 600 & wait"}, .deadline = 100ms});
  REQUIRE(failed.has_error());
  CHECK(failed.error().kind == ErrorKind::timeout);
  CHECK(std::chrono::steady_clock::now() - begin < 60s);
}

TEST_CASE("a grandchild that keeps the output open does not hold the caller", "[process]") {
  const auto output = run_command({.argv = {"sh", "-c", "sleep 600 & echo $!"}});
  REQUIRE(output.has_value());
  const pid_t grandchild = std::stoi(output->out);
  CHECK(::kill(grandchild, SIGKILL) == 0);
}

TEST_CASE("a stop request ends the command", "[process]") {
  std::stop_source source;
  std::thread stopper([&] {
    std::this_thread::sleep_for(50ms);
    source.request_stop();
  });
  const auto failed = run_command({.argv = {"sleep", "600"}, .deadline = 120s}, source.get_token());
  stopper.join();
  REQUIRE(failed.has_error());
  CHECK(failed.error().kind == ErrorKind::cancelled);
}

TEST_CASE("the environment is exactly the one given", "[process]") {
  const auto output =
      run_command({.argv = {"/usr/bin/env"}, .environment = Environment{{"ONLY", "this"}}});
  CHECK(output->out == "ONLY=this\n");
}

TEST_CASE("a child is ended by its owner and its output is in the file", "[process]") {
  test::TemporaryDirectory directory;
  const auto log = directory.path() / "log";
  pid_t pid = 0;
  {
    auto child = Child::start({.argv = {"sh", "-c", "echo started; exec sleep 600"},
                               .environment = std::nullopt,
                               .output_file = log.string()});
    REQUIRE(child.has_value());
    pid = child->pid();
    CHECK_FALSE(child->exit_status().has_value());
    while (read_file(log)->empty()) std::this_thread::yield();
  }
  CHECK(::kill(pid, 0) == -1);
  CHECK(*read_file(log) == "started\n");
}

TEST_CASE("a child that ignores SIGTERM is killed after the grace", "[process]") {
  test::TemporaryDirectory directory;
  const auto log = directory.path() / "log";
  auto child =
      Child::start({.argv = {"sh", "-c", "trap '' TERM; echo on; while :; do sleep 1; done"},
                    .environment = std::nullopt,
                    .output_file = log.string()});
  while (read_file(log)->empty()) std::this_thread::yield();
  CHECK(child->terminate(50ms) == 137);
}
