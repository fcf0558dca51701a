#include "packet_bench/report/report.hpp"

#include "packet_bench/common/text.hpp"
#include "packet_bench/duet/duet_progress.hpp"
#include "packet_bench/report/live_line.hpp"
#include "support/catch.hpp"

using namespace slipway::bench;

namespace {

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

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
  // The data and two scripts of our own, and a policy that lets in no other.
  CHECK(occurrences(page, "<script") == 3);
  CHECK_THAT(page, ContainsSubstring("default-src 'none'"));
  CHECK(occurrences(page, "'sha256-") == 2);
  CHECK(page.find("<link") == std::string::npos);
  CHECK(page.find(" src=") == std::string::npos);
  CHECK_THAT(page, ContainsSubstring("host/&lt;script&gt;|x"));
  CHECK_THAT(page, ContainsSubstring("Permission is hereby granted"));  // the library's licence
  CHECK(occurrences(page, "<figure id=") == 5);
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
  CHECK_THAT(html_report(result, verdict, {}), ContainsSubstring("[0.2,null,0.2]"));
  CHECK_THAT(markdown_report(result, verdict, {}), ContainsSubstring("▁ "));
}

TEST_CASE("the step summary shows the verdict and a spike in its line of blocks", "[report]") {
  const RunResult result = finished_run();
  const std::string text = markdown_report(result, judge(result, {}), {.threshold_tps = 10'000});
  CHECK_THAT(text, ContainsSubstring("passed, 10000 tps (threshold 10000)"));
  CHECK_THAT(text, ContainsSubstring("▁█▁"));
  CHECK_THAT(text, ContainsSubstring("<script>\\|x"));
}

TEST_CASE("an estimate has as many digits as its interval is worth", "[report]") {
  CHECK(worth_text(0.817323, 0.7412, 0.8811) == "+82 % (+74 % to +88 %)");
  CHECK(worth_text(0.021, 0.0179, 0.0244) == "+2.1 % (+1.8 % to +2.4 %)");
  CHECK(worth_text(-0.40123, -0.40152, -0.40091) == "-40.12 % (-40.15 % to -40.09 %)");
  CHECK(worth_text(0.1, 0.1, 0.1) == "+10.00 % in all pairs");
  CHECK(worth_text(0.1, -std::numeric_limits<double>::infinity(), 3) == "+10.0 % (too few pairs)");
  CHECK(bound_percent(0.015) == "+1.5 %");
  CHECK(bound_percent(0.25) == "+25 %");
}

TEST_CASE("a latency is shown in the unit that it is read in", "[report]") {
  CHECK(short_time(0.0421) == "42.1 µs");
  CHECK(short_time(0.99951) == "1 ms");
  CHECK(short_time(912.345) == "912 ms");
  CHECK(short_time(4321.5) == "4.32 s");
}

TEST_CASE("a duet in progress says its pairs, the interval so far and the time left", "[report]") {
  CHECK(progress_text(7, 0, 20, std::nullopt, 71.6) ==
        "7 pairs  first look after 20  at most 72 s left");
  const MetricFinding cpu{.estimate = 0.004, .interval = {-0.003, 0.011}};
  CHECK(progress_text(30, 2, 20, cpu, 52.2) ==
        "30 pairs, 2 left out  cpu +0.4 % (-0.3 % to +1.1 %)  at most 52 s left");
  CHECK_THAT(progress_text(30, 0, 20, cpu, -1), ContainsSubstring("at most 0 s left"));
}
