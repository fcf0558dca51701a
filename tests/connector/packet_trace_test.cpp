// Which packets are drawn for traces, and what is told of them.
#include "base/json.hpp"
#include "connector/hub_fixture.hpp"
#include "connector/reject_code.hpp"
#include "connector/trace_exporter.hpp"

#include <random>
#include <span>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::connector;
using namespace slipway::connector::test;

namespace {

std::size_t drawn(double share, std::size_t packets) {
  const PacketSample sample(share);
  std::mt19937 random(7);
  std::size_t count = 0;
  std::array<std::uint8_t, 32> condition;
  for (std::size_t i = 0; i < packets; ++i) {
    for (std::uint8_t& byte : condition) byte = static_cast<std::uint8_t>(random());
    count += sample.draws(condition) ? 1 : 0;
  }
  return count;
}

Config traced_config() {
  Config config = hub_config();
  config.traces = {"http://127.0.0.1:4318/v1/traces", 1};
  return config;
}

std::string attribute(const Json& span, const std::string& key) {
  for (const Json& one : span["attributes"]) {
    if (one["key"] == key) return one["value"].begin()->get<std::string>();
  }
  return "none";
}

}  // namespace

TEST_CASE("the share that is asked for is drawn, by the condition alone", "[trace]") {
  CHECK(drawn(0, 10'000) == 0);
  CHECK(drawn(1, 10'000) == 10'000);
  const std::size_t tenth = drawn(0.1, 10'000);
  CHECK(tenth > 900);  // 100 is more than three standard deviations
  CHECK(tenth < 1'100);
  CHECK(drawn(0.1, 10'000) == tenth);
  std::array<std::uint8_t, 32> lowest{};
  std::array<std::uint8_t, 32> highest;
  highest.fill(0xff);
  CHECK(PacketSample(1e-9).draws(lowest));
  CHECK_FALSE(PacketSample(0.999).draws(highest));
  CHECK(PacketSample(1).draws(highest));
}

TEST_CASE("what is drawn beyond the bound is counted and not kept", "[trace]") {
  PacketSample sample(1);
  for (std::size_t i = 0; i < PacketSample::most + 3; ++i) sample.add({});
  CHECK(sample.lost() == 3);
  CHECK(sample.take().size() == PacketSample::most);
  sample.add({});
  CHECK(sample.take().size() == 1);
}

TEST_CASE("every answer to a drawn packet is one trace of it", "[trace]") {
  Fixture hub(traced_config());
  hub.send({.number = 1});
  CHECK(hub.forwarder.sample().take().empty());  // not answered yet
  hub.advance(5ms);
  hub.answer(make_fulfill(preimage_of(1)));
  hub.send({.number = 2});
  hub.answer(make_reject("F99"));
  hub.send({.number = 3, .destination = "test.nowhere"});
  hub.send({.number = 4});
  hub.advance(20s);
  hub.forwarder.expire(hub.now);
  const auto traces = hub.forwarder.sample().take();
  REQUIRE(traces.size() == 4);
  CHECK(traces[0].ended - traces[0].began == 5ms);
  CHECK(traces[0].outcome == fulfilled_outcome);
  CHECK(traces[0].from == alice);
  CHECK(traces[0].to == bob);
  CHECK(traces[1].outcome == outcome_of("F99"));
  CHECK(traces[2].outcome == outcome_of("F02"));
  CHECK_FALSE(traces[2].to.has_value());
  CHECK(traces[3].outcome == outcome_of("R00"));
  CHECK(traces[3].ended - traces[3].began == 20s);
}

TEST_CASE("without a collector nothing is drawn", "[trace]") {
  Config config = hub_config();
  config.traces.share = 1;
  Fixture hub(config);
  hub.send({.number = 1});
  hub.answer(make_fulfill(preimage_of(1)));
  CHECK(hub.forwarder.sample().take().empty());
}

TEST_CASE("a packet's trace is its condition's beginning, wherever it passes", "[trace]") {
  Fixture hub(traced_config());
  hub.send({.number = 1});
  hub.answer(make_fulfill(preimage_of(1)));
  hub.send({.number = 2, .destination = "test.nowhere"});
  const auto packets = hub.forwarder.sample().take();
  const auto text = [&] { return net::otlp_json(otlp_traces(hub.config, packets, 1h)); };
  const Json resource = parse_json(text())["resourceSpans"][0];
  CHECK(resource["resource"]["attributes"][0]["value"]["stringValue"] == "connector");
  const Json& spans = resource["scopeSpans"][0]["spans"];
  REQUIRE(spans.size() == 2);
  const Json again = parse_json(text())["resourceSpans"][0]["scopeSpans"][0]["spans"];
  std::string digits;
  for (const std::uint8_t byte : std::span(packets[0].condition).first(16)) {
    digits += fmt::format("{:02x}", byte);
  }
  CHECK(spans[0]["traceId"] == digits);
  CHECK(again[0]["traceId"] == digits);
  CHECK(again[0]["spanId"] != spans[0]["spanId"]);  // as another connector's would be
  CHECK(spans[0]["spanId"].get<std::string>().size() == 16);
  // 1000 s on the steady clock and an hour: 4600 s.
  CHECK(spans[0]["startTimeUnixNano"] == "4600000000000");
  CHECK(attribute(spans[0], "ilp.from") == "alice");
  CHECK(attribute(spans[0], "ilp.to") == "bob");
  CHECK(attribute(spans[0], "ilp.result") == "fulfilled");
  CHECK(spans[0]["status"] == Json{{"code", 1}});
  CHECK(attribute(spans[1], "ilp.to") == "none");
  CHECK(attribute(spans[1], "ilp.code") == "F02");
  CHECK(spans[1]["status"] == Json{{"code", 2}, {"message", "F02"}});
}
