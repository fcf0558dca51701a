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
