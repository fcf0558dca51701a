#include "base/units.hpp"

#include "support/catch.hpp"

using namespace slipway;
using namespace std::chrono_literals;

TEST_CASE("a duration is a number with its unit", "[units]") {
  CHECK(*parse_duration("250ms") == 250ms);
  CHECK(*parse_duration("10s") == 10s);
  CHECK(*parse_duration("1.5s") == 1500ms);
  CHECK(*parse_duration("2m") == 2min);
  CHECK(*parse_duration("1h") == 1h);
  CHECK(*parse_duration("50us") == 50us);
  CHECK(*parse_duration("0s") == 0s);
}

TEST_CASE("what is not a duration is refused with a remedy", "[units]") {
  for (const char* text : {"", "10", "s", "-1s", "1e3s", "nan", "inf", "1 s", "10sec", "99999h"}) {
    INFO(text);
    const auto refused = parse_duration(text);
    REQUIRE(refused.has_error());
    CHECK(refused.error().kind == ErrorKind::usage);
    CHECK_THAT(refused.error().text(), ContainsSubstring("such as 500ms"));
  }
}

TEST_CASE("a duration is printed in the form it is read", "[units]") {
  for (const char* text : {"250ms", "10s", "1.5s", "2m", "1h", "50us", "0s"}) {
    CHECK(format_duration(*parse_duration(text)) == text);
  }
}

TEST_CASE("a time is printed as RFC 3339 in UTC with milliseconds", "[units]") {
  // date -u -d @1700000000 says 2023-11-14T22:13:20
  const std::chrono::system_clock::time_point time{1700000000s + 7ms};
  CHECK(format_utc(time) == "2023-11-14T22:13:20.007Z");
}

TEST_CASE("a time is read back as it was printed, and what is none is nothing", "[units]") {
  CHECK(parse_utc("2023-11-14T22:13:20.007Z") ==
        std::chrono::system_clock::time_point{1700000000s + 7ms});
  CHECK(parse_utc("2023-11-14T22:13:20Z") == std::chrono::system_clock::time_point{1700000000s});
  // Kubernetes has six digits, others one or nine.
  CHECK(parse_utc("2023-11-14T22:13:20.7Z") ==
        std::chrono::system_clock::time_point{1700000000s + 700ms});
  CHECK(parse_utc("2023-11-14T22:13:20.000007891Z") ==
        std::chrono::system_clock::time_point{1700000000s + 7us});
  for (const char* wrong : {"", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z",
                            "2023-11-14T22:13:20.7e3Z", "2023-11-14T22:13:20.007",
                            "2023-11-14T22:13:20.-07Z", "2023-11-14T22:13:20.007Z ", "yesterday"}) {
    INFO(wrong);
    CHECK_FALSE(parse_utc(wrong).has_value());
  }
}
