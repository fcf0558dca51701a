#include "base/command_line.hpp"

#include "base/unique_fd.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <iostream>

using namespace slipway;

namespace {

std::optional<int> parse(std::vector<const char*> arguments) {
  CommandLine line("tool", "a tool");
  int rate = 0;
  line.add("--rate", rate, "packets a second");
  arguments.insert(arguments.begin(), "tool");
  return line.parse(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

TEST_CASE("good flags go on, bad ones exit 2, help exits 0", "[command_line]") {
  CHECK_FALSE(parse({"--rate", "5"}).has_value());
  CHECK(parse({"--rate", "five"}) == 2);
  CHECK(parse({"--rat", "5"}) == 2);
  CHECK(parse({"--help"}) == 0);
}

TEST_CASE("an exception becomes the status that main asked for", "[command_line]") {
  CHECK(guarded_main("tool", 9, []() -> int { throw std::runtime_error("boom"); }) == 9);
  CHECK(guarded_main("tool", 9, [] { return 3; }) == 3);
}

TEST_CASE("an error that cannot be written, as on a full disk, does not end the program",
          "[command_line]") {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const UniqueFd before(::dup(STDERR_FILENO));
  REQUIRE(full);
  ::dup2(full.get(), STDERR_FILENO);
  const int status = guarded_main("tool", 9, []() -> int { throw std::runtime_error("boom"); });
  ::dup2(before.get(), STDERR_FILENO);
  std::cerr.clear();
  CHECK(status == 9);
}
