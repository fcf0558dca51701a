// An operation as OTLP sees it: one trace, a span a step.
#include "deploy/model/trace.hpp"

#include "base/json.hpp"
#include "deploy/cli/trace_sender.hpp"
#include "support/catch.hpp"

#include <set>

using namespace slipway;
using namespace slipway::deploy;

namespace {

// 2026-01-01T00:00:10Z.
constexpr std::chrono::system_clock::time_point ended{std::chrono::seconds(1'767'225'610)};

Report taken_back() {
  Report report;
  report.operation = "deploy";
  report.transaction = "t41";
  report.actor = "ci";
  report.exit_code = ExitCode::rolled_back;
  report.message = "v2: it ended";
  report.seconds = 4;
  report.from = Release{"repo", "v1", "sha256:11", "id", "rev", "1", "", "snap"};
  report.to = Release{"repo", "v2", "sha256:22", "id", "rev", "2", "", "snap"};
  report.running = report.from;
  report.steps = {{"start", "done", 0.5, 1.25, ""},
                  {"prove", "unproven", 1.75, 2, "it \x1b[2J ended"}};
  return report;
}

Json request_of(const Report& report) {
  return parse_json(net::otlp_json(trace_of({"shop", "web-1", "1.2.3", report, ended})));
}

Json spans_of(const Report& report) {
  const Json request = request_of(report);
  REQUIRE(request["resourceSpans"].size() == 1);
  REQUIRE(request["resourceSpans"][0]["scopeSpans"].size() == 1);
  return request["resourceSpans"][0]["scopeSpans"][0]["spans"];
}

std::string attribute(const Json& attributes, const std::string& key) {
  for (const Json& one : attributes) {
    if (one["key"] == key) return one["value"].begin()->get<std::string>();
  }
  return "none";
}

}  // namespace

TEST_CASE("an operation is a trace with a span for it and one below for each step", "[trace]") {
  const Json spans = spans_of(taken_back());
  REQUIRE(spans.size() == 3);
  std::set<std::string> ids;
  for (const Json& span : spans) {
    CHECK(span["traceId"] == spans[0]["traceId"]);
    CHECK(span["traceId"].get<std::string>().size() == 32);
    CHECK(span["spanId"].get<std::string>().size() == 16);
    ids.insert(span["spanId"]);
    CHECK(span["kind"] == 1);
  }
  CHECK(ids.size() == 3);
  CHECK_FALSE(spans[0].contains("parentSpanId"));
  CHECK(spans[0]["name"] == "deploy");
  CHECK(spans[0]["startTimeUnixNano"] == "1767225606000000000");
  CHECK(spans[0]["endTimeUnixNano"] == "1767225610000000000");
  CHECK(spans[1]["name"] == "start");
  CHECK(spans[1]["parentSpanId"] == spans[0]["spanId"]);
  CHECK(spans[1]["startTimeUnixNano"] == "1767225606500000000");
  CHECK(spans[1]["endTimeUnixNano"] == "1767225607750000000");
}

TEST_CASE("a trace says the digests, the outcome and where it was", "[trace]") {
  const Json spans = spans_of(taken_back());
  const Json& whole = spans[0]["attributes"];
  CHECK(attribute(whole, "slipway.outcome") == "rolled-back");
  CHECK(attribute(whole, "slipway.exit_code") == "4");
  CHECK(attribute(whole, "slipway.from.digest") == "sha256:11");
  CHECK(attribute(whole, "slipway.to.digest") == "sha256:22");
  CHECK(attribute(whole, "slipway.running.digest") == "sha256:11");
  CHECK(spans[0]["status"] == Json{{"code", 2}, {"message", "v2: it ended"}});
  CHECK(spans[1]["status"] == Json{{"code", 1}});
  CHECK(attribute(spans[2]["attributes"], "slipway.outcome") == "unproven");
  CHECK(spans[2]["status"]["message"] == "it  ended");  // what is foreign moves no cursor
  const Json resource = request_of(taken_back())["resourceSpans"][0];
  CHECK(attribute(resource["resource"]["attributes"], "host.name") == "web-1");
  CHECK(attribute(resource["resource"]["attributes"], "slipway.project") == "shop");
}

TEST_CASE("the same operation has the same trace whoever sends it again, another has another",
          "[trace]") {
  Report report = taken_back();
  const Json first = spans_of(report);
  CHECK(spans_of(report) == first);
  report.transaction = "t42";
  CHECK(spans_of(report)[0]["traceId"] != first[0]["traceId"]);
}

TEST_CASE("a collector's address that cannot be used is refused, and none of it is repeated",
          "[trace]") {
  Config config;
  config.file = "/etc/slipway/deploy.json";
  for (const char* good : {"", "http://127.0.0.1:4318/v1/traces", "https://[::1]/v1/traces"}) {
    config.traces_url = good;
    CHECK(check_traces_url(config).has_value());
  }
  for (const char* bad : {"collector", "ftp://collector/v1", "http://me:tok-3n@collector/v1"}) {
    config.traces_url = bad;
    const auto refused = check_traces_url(config);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::usage);
    CHECK_THAT(refused.error().text(), ContainsSubstring("tracesUrl of /etc/slipway/deploy.json") &&
                                           !ContainsSubstring("collector/") &&
                                           !ContainsSubstring("tok-3n"));
  }
}
