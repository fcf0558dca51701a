#include "packet_bench/result/series.hpp"

#include "support/catch.hpp"

using namespace slipway::bench;
using namespace std::chrono_literals;

TEST_CASE("a second is a point once every thread has given its part", "[series]") {
  SeriesRecorder series(2);
  ThreadSecond part;
  part.sent = 10;
  part.fulfilled = 10;
  part.latency.record(2ms);
  series.merge(0, part);
  series.merge(1, part);
  series.merge(0, part);
  series.merge(1, part);
  const auto points = series.points();
  REQUIRE(points.size() == 2);
  CHECK(points[0].begin_s == 0);
  CHECK(points[1].begin_s == 1);
  CHECK(points[0].sent == 20);
  CHECK(points[0].p50_ms == Approx(2).epsilon(0.001));
}

TEST_CASE("a long run joins neighbours and loses no packet and no time", "[series]") {
  SeriesRecorder series(1);
  ThreadSecond part;
  part.sent = 3;
  constexpr std::size_t seconds = 5 * SeriesRecorder::max_points + 17;
  for (std::size_t i = 0; i < seconds; ++i) series.merge(i, part);
  const auto points = series.points();
  CHECK(points.size() <= SeriesRecorder::max_points + 1);
  std::uint64_t sent = 0;
  double covered = 0;
  for (const auto& point : points) {
    CHECK(point.begin_s == covered);
    sent += point.sent;
    covered += point.seconds;
  }
  CHECK(sent == 3 * seconds);
  CHECK(covered == seconds);
}

TEST_CASE("a second says where its latencies lie and what was lost, also when joined", "[series]") {
  SeriesRecorder series(1);
  ThreadSecond part;
  part.latency.record(1'100us);  // up to 1.25 ms
  part.latency.record(1'900us);  // up to 2 ms
  part.latency.record(300s);     // beyond the last bound
  part.losses.late = 1;
  part.losses.rejected["T01"] = 2;
  constexpr std::size_t seconds = SeriesRecorder::max_points + 1;
  for (std::size_t i = 0; i < seconds; ++i) series.merge(i, part);
  const auto points = series.points();
  CHECK(points.back().latency_up_to_ms ==
        std::map<double, std::uint64_t>{{1.25, 1}, {2.0, 1}, {80'000.0, 1}});
  CHECK(points.front().latency_up_to_ms.at(1.25) == 2);
  CHECK(points.front().lost ==
        std::map<std::string, std::uint64_t>{{"late", 2}, {"rejected with T01", 4}});
}
