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
        "9990/s  10 not fulfilled  p50 0.042 ms  p99 1.500 ms  3 s left  late by up to 0.250 ms");
}

TEST_CASE("what so few answers cannot tell is not shown", "[report]") {
  const double none = std::nan("");
  const SeriesPoint second{.fulfilled = 2, .p50_ms = 0.5, .p99_ms = none, .max_ms = 1};
  CHECK(live_line(second, 1) == "2/s  p50 0.500 ms  0 s left  late by up to 0.000 ms");
  LatencySummary latency{
      .count = 2, .p50_ms = 0.5, .p90_ms = none, .p99_ms = none, .p999_ms = none, .max_ms = 1};
  CHECK(latency_text(latency) == "p50 0.500 ms, max 1.000");
  CHECK(latency_text({}) == "of none");
  CHECK(rate_text(10'000) == "10000");
  CHECK(rate_text(9'999.96) == "10000");
  CHECK(rate_text(9'990.42) == "9990.4");
  CHECK(rate_text(2.2) == "2.2");
  CHECK(rate_text(0.05) == "0.05");
}

TEST_CASE("a second without answers is a gap in a plot, not a zero", "[report]") {
  RunResult result = finished_run();
  for (double SeriesPoint::* value :
       {&SeriesPoint::p50_ms, &SeriesPoint::p99_ms, &SeriesPoint::max_ms}) {
    result.series[1].*value = std::nan("");
  }
  const Verdict verdict = judge(result, {});
  CHECK_THAT(html_report(result, verdict, {}), !ContainsSubstring("nan"));
  CHECK_THAT(markdown_report(result, verdict, {}), ContainsSubstring("▁ "));
}

TEST_CASE("the step summary shows the verdict and a spike in its line of blocks", "[report]") {
  const RunResult result = finished_run();
  const std::string text = markdown_report(result, judge(result, {}), {.threshold_tps = 10'000});
  CHECK_THAT(text, ContainsSubstring("passed, 10000 tps (threshold 10000)"));
  CHECK_THAT(text, ContainsSubstring("▁█▁"));
  CHECK_THAT(text, ContainsSubstring("<script>\\|x"));
}
