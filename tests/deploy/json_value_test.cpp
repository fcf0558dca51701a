#include "deploy/model/json_value.hpp"

#include "support/catch.hpp"

using namespace slipway::deploy;

TEST_CASE("what is not there, or of another kind, reads as an empty value", "[json]") {
  const JsonValue value = JsonValue::parse(R"({"a":{"b":"c"},"n":7,"t":true,"l":["x",1]})");
  CHECK(value.at({"a", "b"}).text() == "c");
  CHECK(value.at({"n"}).integer() == 7);
  CHECK(value.at({"t"}).is_true());
  REQUIRE(value.at({"l"}).items().size() == 2);
  CHECK(value.at({"l"}).items()[0].text() == "x");
  CHECK(value.at({"a"}).members()[0].first == "b");
  for (const JsonValue& none : {value.at({"z"}), value.at({"n", "b"}), value.at({"a", "b", "c"}),
                                JsonValue(), JsonValue::parse("{"), JsonValue::parse("")}) {
    CHECK(none.text().empty());
    CHECK(none.integer() == 0);
    CHECK_FALSE(none.is_true());
    CHECK_FALSE(none.is_object());
    CHECK(none.items().empty());
    CHECK(none.members().empty());
  }
  CHECK(value.at({"n"}).text().empty());
  CHECK(value.at({"a", "b"}).integer() == 0);
}

TEST_CASE("a value outlives the document that it was read from", "[json]") {
  JsonValue kept;
  {
    const JsonValue document = JsonValue::parse(R"({"a":["b"]})");
    kept = document.at({"a"}).items()[0];
  }
  CHECK(kept.text() == "b");
}

TEST_CASE("what is written can be read back, quotes and bytes that are no UTF-8 included",
          "[json]") {
  const std::string text =
      json_object({{"a\"b", json_string("c\n\xff")}, {"l", json_strings({"x", "y"})}});
  CHECK(text == "{\"a\\\"b\":\"c\\n\xef\xbf\xbd\",\"l\":[\"x\",\"y\"]}");
  CHECK(JsonValue::parse(text).at({"l"}).items().size() == 2);
  CHECK(json_object({}) == "{}");
}
