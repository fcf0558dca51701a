#include "deploy/docker/api_version.hpp"

#include "support/catch.hpp"

using namespace slipway;
using namespace slipway::deploy;

TEST_CASE("the API spoken is the lowest that both sides know", "[docker]") {
  struct Row {
    const char* lowest;
    const char* highest;
    const char* spoken;
  };
  // Of releases of the engine: 20.10, 24.0, 28.2, 29.0, and one that speaks what 29 does and more.
  for (const Row& row :
       {Row{"1.12", "1.41", "1.41"}, Row{"1.12", "1.43", "1.41"}, Row{"1.24", "1.50", "1.41"},
        Row{"1.44", "1.52", "1.44"}, Row{"1.52", "1.60", "1.52"}, Row{"", "1.41", "1.41"}}) {
    INFO(row.lowest << " to " << row.highest);
    CHECK(choose_api_version(row.lowest, row.highest).value() == row.spoken);
  }
}

TEST_CASE("an engine without a version in common is named with what to update", "[docker]") {
  const auto old = choose_api_version("1.12", "1.40");
  REQUIRE_FALSE(old.has_value());
  CHECK_THAT(old.error().text(), ContainsSubstring("from 1.12 to 1.40") &&
                                     ContainsSubstring("update the engine: Docker 20.10"));
  const auto newer = choose_api_version("1.53", "1.60");
  REQUIRE_FALSE(newer.has_value());
  CHECK_THAT(newer.error().text(), ContainsSubstring("update these tools"));
  for (const char* nonsense : {"", "one", "1", "1.", "1.4x"}) {
    INFO(nonsense);
    REQUIRE_FALSE(choose_api_version("1.24", nonsense).has_value());
    CHECK(choose_api_version("1.24", nonsense).error().kind == ErrorKind::protocol);
  }
}
