#include "base/durable_file.hpp"

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <sys/stat.h>

using namespace slipway;

TEST_CASE("a durable write replaces the file and leaves nothing beside it", "[durable_file]") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "state.json";
  REQUIRE(write_durably(path, "first").has_value());
  REQUIRE(write_durably(path, "second", 0600).has_value());
  CHECK(*read_file(path) == "second");
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("a durable write that fails keeps the old file and names the new one", "[durable_file]") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "folder";
  std::filesystem::create_directory(path);
  const auto failed = write_durably(path, "x");
  REQUIRE(failed.has_error());
  CHECK(failed.error().kind == ErrorKind::io);
  CHECK_THAT(failed.error().what, ContainsSubstring(path.string()));
  CHECK(std::filesystem::is_directory(path));
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("a missing file is told apart from one that cannot be read", "[durable_file]") {
  test::TemporaryDirectory directory;
  CHECK(read_file(directory.path() / "none").error().kind == ErrorKind::not_found);
  CHECK(read_file(directory.path()).error().kind == ErrorKind::io);
}

TEST_CASE("a file over the limit is refused", "[durable_file]") {
  test::TemporaryDirectory directory;
  const auto path = directory.path() / "large";
  REQUIRE(write_durably(path, std::string(1000, 'x')).has_value());
  CHECK(read_file(path, 1000).has_value());
  CHECK(read_file(path, 999).error().kind == ErrorKind::io);
}
