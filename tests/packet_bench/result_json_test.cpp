#include "packet_bench/report/result_json.hpp"

#include "base/json.hpp"
#include "support/catch.hpp"

#include <set>

using namespace slipway::bench;

TEST_CASE("the results have exactly the fields that were promised", "[result_json]") {
  RunResult result;
  result.begun_at = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  result.commit_sha = "abc";
  result.branch = "main";
  result.window_s = 10;
  result.rate = 10'000;
  result.packets.planned = result.packets.fulfilled = 100'000;
  result.cost.cpu_percent = 31.4159265;
  const auto json = slipway::parse_json(to_json(result, judge(result, {}), {}));
  std::set<std::string> names;
  for (const auto& [name, value] : json.items()) names.insert(name);
  CHECK(names == std::set<std::string>{"timestamp", "commitSha", "branch", "tps", "p99LatencyMs",
                                       "p50LatencyMs", "memoryUsageMb", "cpuUsagePercent", "passed",
                                       "details", "schemaVersion"});
  CHECK(json["timestamp"] == "2023-11-14T22:13:20.000Z");
  CHECK(json["tps"] == 10'000.0);
  CHECK(json["cpuUsagePercent"] == 31.416);
  CHECK(json["memoryUsageMb"].is_null());
  CHECK(json["passed"] == true);
  for (const char* name : {"planned", "sent", "fulfilled", "rejected", "rejectedByCode",
                           "unanswered", "late", "unsent", "wrongPreimage"}) {
    CHECK(json["details"]["packets"].contains(name));
  }
  for (const char* name : {"reconnects", "longestGapMs", "series", "latency", "audit"}) {
    CHECK(json["details"].contains(name));
  }
}

TEST_CASE("text that is not UTF-8 does not spoil the results", "[result_json]") {
  RunResult result;
  result.branch = "br\xff";
  result.packets.rejected["T\xfe\xfd"] = 1;
  CHECK(nlohmann::json::accept(to_json(result, judge(result, {}), {})));
}
