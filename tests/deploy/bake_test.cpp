#include "deploy/model/bake.hpp"

#include "deploy/haproxy/statistics.hpp"
#include "deploy/run/answer_count.hpp"
#include "support/catch.hpp"

using namespace slipway;
using namespace slipway::deploy;

namespace {

service::BakeRules named() {
  service::BakeRules rules;
  rules.good = {"jobs_total", {{"way", "in"}, {"result", "ok"}}};
  rules.bad = {"jobs_total", {{"way", "in"}, {"result", "lost"}}};
  rules.seconds = {"job_seconds", {}};
  return rules;
}

Totals counted_by_proxy(std::uint64_t good, std::uint64_t bad, double mean_s) {
  Totals totals;
  totals.good = good;
  totals.bad = bad;
  totals.recent_mean_s = mean_s;
  return totals;
}

// As HAProxy answers `show stat`, with the fields that matter.
constexpr std::string_view statistics =
    "# pxname,svname,qcur,scur,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,rtime,\n"
    "http,FRONTEND,,9,0,1000,0,0,0,,\n"
    "http_blue,blue,0,2,1,90,2,3,0,4,\n"
    "http_blue,BACKEND,0,2,1,90,2,3,4,4,\n"
    "http_green,BACKEND,0,7,0,0,0,0,0,0,\n"
    "tcp_4000_blue,BACKEND,0,3,,,,,,0,\n\n";

constexpr std::string_view servers =
    "1\n"
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_port srvrecord\n"
    "4 http_blue 1 blue 10.0.0.10 2 8080 -\n"
    "5 http_green 1 green 10.0.0.11 2 8080 -\n"
    "6 tcp_4000_blue 1 blue 10.0.0.10 2 4000 -\n\n";

}  // namespace

TEST_CASE("totals are summed over what the selectors mean, and all else is ignored", "[bake]") {
  const Totals totals = parse_totals(
      "# TYPE jobs_total counter\n"
      "jobs_total{account=\"a\",way=\"in\",result=\"ok\"} 10\n"
      "jobs_total{account=\"b\",way=\"in\",result=\"ok\"} 5\n"
      "jobs_total{account=\"a\",way=\"out\",result=\"ok\"} 7\n"
      "jobs_total{account=\"a\",way=\"in\",result=\"lost\",code=\"1\"} 2\n"
      "jobs_total_other{way=\"in\",result=\"ok\"} 1000\n"
      "job_seconds_sum 0.5\njob_seconds_count 17\n",
      named());
  CHECK(totals.good == 15);
  CHECK(totals.bad == 2);
  CHECK(totals.latency_sum_s == Approx(0.5));
  CHECK(totals.latency_count == 17);
}

TEST_CASE("a bake is good, worse or inconclusive against the baseline", "[bake]") {
  const service::BakeRules rules{};
  const Totals baseline{10000, 10, 10.0, 10010};
  CHECK(judge_bake(rules, baseline, {1000, 1, 1.0, 1001}).verdict == BakeVerdict::good);
  CHECK(judge_bake(rules, baseline, {900, 100, 1.0, 1000}).verdict == BakeVerdict::worse);
  CHECK(judge_bake(rules, baseline, {1000, 1, 9.0, 1001}).verdict == BakeVerdict::worse);
  // Ten times as slow, and still far below what a user sees.
  CHECK(judge_bake(rules, {1000, 1, 0.1, 1001}, {1000, 1, 1.0, 1001}).verdict == BakeVerdict::good);
  CHECK(judge_bake(rules, baseline, {10, 0, 0.01, 10}).verdict == BakeVerdict::inconclusive);
}

TEST_CASE("the proxy's mean is compared once it is the new version's own", "[bake]") {
  const service::BakeRules rules{};
  // Whole milliseconds: a fast service has none.
  const Totals baseline = counted_by_proxy(5000, 0, 0);
  const auto verdict = [&](const Totals& before, const Totals& now) {
    return judge_bake(rules, baseline, now.since(before)).verdict;
  };
  CHECK(verdict({}, counted_by_proxy(500, 0, 0.05)) == BakeVerdict::worse);
  // An older version on that colour was slow; these 500 are not yet all of the mean.
  CHECK(verdict(counted_by_proxy(9000, 0, 0.09), counted_by_proxy(9500, 0, 0.05)) ==
        BakeVerdict::good);
  CHECK(verdict(counted_by_proxy(9000, 0, 0), counted_by_proxy(12000, 0, 0.05)) ==
        BakeVerdict::worse);
  CHECK(verdict({}, counted_by_proxy(450, 50, 0)) == BakeVerdict::worse);
}

TEST_CASE("the old colour's last answers are the baseline, where they are enough", "[bake]") {
  const service::BakeRules rules{};
  const Totals before = counted_by_proxy(1000, 900, 0.5);
  const Totals recent = baseline_of(rules, counted_by_proxy(1300, 903, 0.01), before);
  CHECK(recent.good == 300);
  CHECK(recent.bad == 3);
  CHECK(recent.mean_latency_s() == Approx(0.01));
  CHECK(baseline_of(rules, counted_by_proxy(1050, 900, 0.01), before).good == 1050);
  CHECK(baseline_of(rules, counted_by_proxy(1300, 903, 0.01), std::nullopt).good == 1300);
}

TEST_CASE("HAProxy's servers are known by their addresses, whatever they are called", "[bake]") {
  const auto found = parse_servers(servers);
  REQUIRE(found.size() == 3);
  CHECK(has_server(found, "10.0.0.10", 4000));
  CHECK_FALSE(has_server(found, "10.0.0.11", 4000));
  CHECK(backends_of(found, "10.0.0.10") == std::set<std::string>{"http_blue", "tcp_4000_blue"});
  CHECK(parse_servers("").empty());
}

TEST_CASE("sessions are counted on every port, answers where they are HTTP", "[bake]") {
  const Counted blue = count(statistics, {"http_blue", "tcp_4000_blue"});
  CHECK(blue.sessions == 5);
  CHECK(blue.totals.good == 96);
  CHECK(blue.totals.bad == 4);
  CHECK(blue.totals.mean_latency_s() == Approx(0.004));
  const Counted green = count(statistics, {"http_green"});
  CHECK(green.sessions == 7);
  CHECK_FALSE(green.totals.mean_latency_s());
}
