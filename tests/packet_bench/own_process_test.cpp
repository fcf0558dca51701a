#include "packet_bench/subject/own_process.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

using namespace slipway;
using namespace slipway::bench;

namespace {

OwnProcess started(const std::string& script) {
  auto process = OwnProcess::start({"/bin/sh", "-c", script}, current_environment(),
                                   OwnFolder::create().value(), std::nullopt);
  return std::move(process.value());
}

// How it ended, once it has.
std::string death_of(OwnProcess& process, std::size_t lines) {
  for (;;) {
    if (const auto death = process.death("it", lines)) return *death;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

TEST_CASE("what ended tells its status and its last lines", "[own_process]") {
  OwnProcess three = started("echo one; echo two >&2; echo three; exit 7");
  CHECK(death_of(three, 1) == "it ended with status 7: three");
  CHECK(death_of(three, 2) == "it ended with status 7: two | three");
  CHECK(death_of(three, 9) == "it ended with status 7: one | two | three");
  OwnProcess silent = started("exit 0");
  CHECK(death_of(silent, 5) == "it ended with status 0: it logged nothing");
}

TEST_CASE("what it wrote can neither move a cursor nor begin a line", "[own_process]") {
  OwnProcess bad =
      started(R"(printf 'one\033]0;title\007 \033[2Jtwo\n\r::warning::three \377'; exit 1)");
  CHECK(death_of(bad, 2) == "it ended with status 1: one two |  ::warning::three \xef\xbf\xbd");
}

TEST_CASE("of a long log the end is told", "[own_process]") {
  OwnProcess talks = started("yes a line that is not the last | head -n 400000; echo last");
  CHECK(death_of(talks, 2) == "it ended with status 0: a line that is not the last | last");
}

TEST_CASE("a folder goes with its owner, and with what was started in it", "[own_process]") {
  std::filesystem::path path;
  {
    auto folder = OwnFolder::create().value();
    path = folder.path();
    const OwnFolder moved = std::move(folder);
    CHECK(std::filesystem::is_directory(path));
    CHECK(moved.path() == path);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}
