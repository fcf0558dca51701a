#include "packet_bench/common/schedule.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

using namespace slipway::bench;
using namespace std::chrono_literals;

TEST_CASE("constant arrivals are due at n / rate and do not drift in ten minutes", "[schedule]") {
  const Schedule schedule(Arrivals::constant, 10'000, 1);
  CHECK(schedule.due(0) == 0ns);
  CHECK(schedule.due(1) == 100us);
  CHECK(schedule.due(6'000'000) == 600s);
  const Schedule thirds(Arrivals::constant, 3, 1);
  CHECK(thirds.due(1) == 333'333'333ns);
  CHECK(thirds.due(3'000'000'000) == 1'000'000'000s);
}

TEST_CASE("a walker visits the same times as due(n) says", "[schedule]") {
  for (const Arrivals arrivals : {Arrivals::constant, Arrivals::poisson}) {
    const Schedule schedule(arrivals, 1234.5, 99);
    ScheduleWalker walker(schedule, 2, 3);
    for (std::uint64_t n = 2; n < 300; n += 3) {
      CHECK(walker.number() == n);
      CHECK(walker.due() == schedule.due(n));
      walker.advance();
    }
  }
}

TEST_CASE("poisson arrivals repeat for a seed and differ between seeds", "[schedule]") {
  const Schedule a(Arrivals::poisson, 100, 5);
  const Schedule b(Arrivals::poisson, 100, 5);
  const Schedule c(Arrivals::poisson, 100, 6);
  CHECK(a.due(50) == b.due(50));
  CHECK(a.due(50) != c.due(50));
}

TEST_CASE("poisson gaps pass a Kolmogorov-Smirnov test against the exponential distribution",
          "[schedule]") {
  constexpr std::size_t count = 100'000;
  const double rate = 10'000;
  const std::uint64_t seed = GENERATE(1, 2, 3, 4, 5);
  ScheduleWalker walker(Schedule(Arrivals::poisson, rate, seed), 0, 1);
  std::vector<double> gaps;
  double previous = 0;
  for (std::size_t i = 0; i < count; ++i) {
    walker.advance();
    const double due = std::chrono::duration<double>(walker.due()).count();
    gaps.push_back(due - previous);
    previous = due;
  }
  std::sort(gaps.begin(), gaps.end());
  double distance = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double expected = 1 - std::exp(-rate * gaps[i]);
    const double n = static_cast<double>(count);
    distance = std::max({distance, expected - static_cast<double>(i) / n,
                         static_cast<double>(i + 1) / n - expected});
  }
  // Critical value of the two-sided test at 0.1 %: 1.95 / sqrt(n).
  CHECK(distance < 1.95 / std::sqrt(static_cast<double>(count)));
  // The mean of n exponential gaps has a relative deviation of 1 / sqrt(n).
  CHECK(previous * rate / static_cast<double>(count) == Approx(1).margin(0.013));
}

TEST_CASE("counts a window of poisson arrivals vary as much as they should", "[schedule]") {
  ScheduleWalker walker(Schedule(Arrivals::poisson, 10'000, 7), 0, 1);
  std::vector<double> counts(10'000);  // per millisecond, 10 expected
  while (walker.due() < 10s) {
    counts[static_cast<std::size_t>(walker.due() / 1ms)] += 1;
    walker.advance();
  }
  double mean = 0;
  for (const double value : counts) mean += value / 10'000;
  double variance = 0;
  for (const double value : counts) variance += (value - mean) * (value - mean) / 9'999;
  CHECK(variance / mean == Approx(1).margin(0.06));  // index of dispersion; 4 sigma
}
