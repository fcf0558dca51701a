#include "net/prometheus_text.hpp"

#include "support/catch.hpp"

using namespace slipway::net;

TEST_CASE("a sample has a name, labels without their escapes, and a value", "[prometheus]") {
  const auto samples = parse_metrics(
      "# HELP a_total of a \\ kind\n# TYPE a_total counter\n"
      "a_total 3\n"
      "a_total{x=\"1\",y=\"br}ace, \\\"quote\\\", \\\\ and \\n\"} 4.5e1 1700000000000\n"
      "b{} NaN\nc{z=\"\",} +Inf\nd { x = \"1\" }\t-2\n");
  REQUIRE(samples.size() == 5);
  CHECK(samples[0].labels.empty());
  CHECK(samples[0].value == 3);
  CHECK(samples[1].labels.at("y") == "br}ace, \"quote\", \\ and \n");
  CHECK(samples[1].value == 45);
  CHECK(samples[2].value != samples[2].value);
  CHECK(samples[3].value > 1e308);
  CHECK(samples[4].labels.at("x") == "1");
  CHECK(samples[4].value == -2);
}

TEST_CASE("a line that is no sample does not hide the others", "[prometheus]") {
  for (const char* bad : {"", "a", "a{", "a{x", "a{x=", "a{x=\"", "a{x=\"1\"", "a{x=1} 2",
                          "a{x=\"1\\", "{x=\"1\"} 2", "a 1x", "a one", "\x01 1", "a{=\"1\"} 2"}) {
    INFO(bad);
    const auto samples = parse_metrics(std::string("first 1\n") + bad + "\nlast 2");
    REQUIRE(samples.size() == 2);
    CHECK(samples[1].name == "last");
  }
}

TEST_CASE("a sum is over all samples that have the labels asked for", "[prometheus]") {
  const auto samples = parse_metrics(
      "n{d=\"in\",r=\"ok\",a=\"1\"} 1\nn{a=\"2\",r=\"ok\",d=\"in\"} 2\nn{d=\"out\",r=\"ok\"} 4\n"
      "n_sum{d=\"in\",r=\"ok\"} 8\nn{d=\"in\",r=\"ok\\\"\"} 16\nn{d=\"in\"} 32\n");
  CHECK(sum_of(samples, "n", {{"d", "in"}, {"r", "ok"}}) == 3);
  CHECK(sum_of(samples, "n") == 55);
  CHECK_FALSE(sum_of(samples, "n", {{"d", "no"}}).has_value());
  CHECK_FALSE(sum_of(samples, "m").has_value());
}

TEST_CASE("a selector is read as Prometheus writes it, and written so that it reads back") {
  using slipway::net::parse_selector;
  const auto selector = parse_selector("ilp_packets_total{direction=\"in\",result=\"a\\\"b\"}");
  REQUIRE(selector.has_value());
  CHECK(selector->name == "ilp_packets_total");
  CHECK(selector->labels.at("direction") == "in");
  CHECK(selector->labels.at("result") == "a\"b");
  CHECK(to_string(*selector) == "ilp_packets_total{direction=\"in\",result=\"a\\\"b\"}");
  CHECK(parse_selector(to_string(*selector)) == selector);
  CHECK(to_string(*parse_selector("up")) == "up");
  for (const char* wrong : {"", "up 5", "{a=\"b\"}", "up{a}", "up{a=b}", "up{a=\"b\"", "up{} x"}) {
    INFO(wrong);
    CHECK_FALSE(parse_selector(wrong).has_value());
  }
}

TEST_CASE("a family's head and a label's value are as the format wants them", "[prometheus]") {
  CHECK(family_head("a_total", "counter", "Of a.") ==
        "# HELP a_total Of a.\n# TYPE a_total counter\n");
  CHECK(escaped_label("a\"b\\c\nd") == "a\\\"b\\\\c\\nd");
  const auto read = parse_metrics("n{l=\"" + escaped_label("a\"b\\c\nd") + "\"} 1\n");
  REQUIRE(read.size() == 1);
  CHECK(read[0].labels.at("l") == "a\"b\\c\nd");
}
