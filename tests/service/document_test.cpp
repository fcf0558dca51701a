#include "service/document.hpp"

#include "support/catch.hpp"

#include <string>

using namespace slipway;
using service::parse_yaml;

TEST_CASE("YAML's plain scalars are what JSON has them as") {
  const auto document = parse_yaml(
      "a: 1\nb: -2.5\nc: true\nd: null\ne: 10s\nf: \"1\"\ng: ~\nh: 1.5%\ni: .5\nj: '#'\nk: +7\n",
      "f");
  REQUIRE(document.has_value());
  CHECK(document->value == Json{{"a", 1},
                                {"b", -2.5},
                                {"c", true},
                                {"d", nullptr},
                                {"e", "10s"},
                                {"f", "1"},
                                {"g", nullptr},
                                {"h", "1.5%"},
                                {"i", 0.5},
                                {"j", "#"},
                                {"k", 7}});
}

TEST_CASE("every key and value is known by its line and column") {
  const auto document = parse_yaml("a: 1\nb:\n  c/d: [x,  z]\n", "f");
  REQUIRE(document.has_value());
  CHECK(document->key_at("/b/c~1d").line == 3);
  CHECK(document->key_at("/b/c~1d").column == 3);
  CHECK(document->value_at("/b/c~1d/1").line == 3);
  CHECK(document->value_at("/b/c~1d/1").column == 13);
  // What is nowhere is shown where its parent is.
  CHECK(document->value_at("/b/none").line == 3);
}

TEST_CASE("aliases cannot make a small file a huge document") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  const auto document = parse_yaml(bomb, "f");
  REQUIRE(document.has_error());
  CHECK(document.error().what.find("it is too large") != std::string::npos);
}

TEST_CASE("nesting without end is refused") {
  const auto document = parse_yaml(std::string(200, '[') + std::string(200, ']'), "f");
  REQUIRE(document.has_error());
  CHECK(document.error().kind == ErrorKind::usage);
}

TEST_CASE("what two versions of YAML read differently is refused") {
  for (const std::string text :
       {"yes", "No", "off", "y", "0123", "0x1f", "1_000", "1:30", "2026-11-28", "1e3", "0b11"}) {
    INFO(text);
    CHECK(parse_yaml("a: " + text + "\n", "f").has_error());
    CHECK(parse_yaml("a: \"" + text + "\"\n", "f").has_value());
  }
  for (const std::string text :
       {"10s", "1.5", "512m", "GET /0", "1.2.3", "v1", "0", "0.5", "node"}) {
    INFO(text);
    CHECK(parse_yaml("a: " + text + "\n", "f").has_value());
  }
}
