#include "packet_bench/report/report.hpp"

#include "packet_bench/report/live_line.hpp"
#include "support/catch.hpp"

using namespace slipway::bench;

namespace {

RunResult finished_run() {
  RunResult result;
  result.rate = 10'000;
  result.window_s = 3;
  result.packets.planned = result.packets.sent = result.packets.fulfilled = 30'000;
  result.target = "btp+ws://host/<script>|x";
  result.percentile_curve = {{0, 0.1}, {50, 0.2}, {99, 5}, {100, 9}};
  for (int i = 0; i < 3; ++i) {
    result.series.push_back({.begin_s = static_cast<double>(i),
                             .sent = 10'000,
                             .fulfilled = 10'000,
                             .p50_ms = 0.2,
                             .p99_ms = i == 1 ? 900.0 : 1.0});
  }
  return result;
}

}  // namespace

TEST_CASE("the page is self-contained and what came from outside cannot break it", "[report]") {
  const RunResult result = finished_run();
  const std::string page = html_report(result, judge(result, {}), {});
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("http://") == std::string::npos);
  CHECK(page.find("src=") == std::string::npos);
  CHECK_THAT(page, ContainsSubstring("&lt;script&gt;"));
  CHECK(page.find("nan") == std::string::npos);
  std::size_t plots = 0;
  for (std::size_t at = page.find("<svg"); at != std::string::npos;
       at = page.find("<svg", at + 1)) {
    ++plots;
  }
  CHECK(plots == 4);
}

TEST_CASE("a run without a single answer still has its reports", "[report]") {
  RunResult result;
  result.packets.planned = result.packets.sent = result.packets.unanswered = 10;
  const Verdict verdict = judge(result, {});
  CHECK_THAT(html_report(result, verdict, {}), ContainsSubstring("10 unanswered"));
  CHECK_THAT(markdown_report(result, verdict, {}), ContainsSubstring("10 unanswered"));
}

TEST_CASE("the live line of a second says what came of it and how long is left", "[report]") {
  const SeriesPoint second{.begin_s = 6,
                           .seconds = 1,
                           .sent = 10'000,
                           .fulfilled = 9'990,
                           .not_fulfilled = 10,
                           .p50_ms = 0.0421,
                           .p99_ms = 1.5,
                           .lateness_max_ms = 0.25};
  CHECK(live_line(second, 10) ==
        "9990/s  p50 0.042 ms  p99 1.500 ms  10 not fulfilled  late by up to 0.250 ms  3 s left");
}

TEST_CASE("the step summary shows the verdict and a spike in its line of blocks", "[report]") {
  const RunResult result = finished_run();
  const std::string text = markdown_report(result, judge(result, {}), {.threshold_tps = 10'000});
  CHECK_THAT(text, ContainsSubstring("passed, 10000.0 tps (threshold 10000)"));
  CHECK_THAT(text, ContainsSubstring("▁█▁"));
  CHECK_THAT(text, ContainsSubstring("<script>\\|x"));
}
