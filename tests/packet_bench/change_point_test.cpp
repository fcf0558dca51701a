#include "packet_bench/common/change_point.hpp"

#include "support/catch.hpp"

#include <cmath>
#include <random>

using namespace slipway::bench;

namespace {

// 50 results of runs that differ by 2 % (standard deviation), of which a share was disturbed and is
// up to 30 % dearer, and that all become `step` times as dear from `at` on.
std::vector<double> history(std::uint64_t seed, std::size_t at, double step,
                            double disturbed = 0.1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(0, 0.02);
  std::uniform_real_distribution<double> any(0, 1);
  std::vector<double> values;
  for (std::size_t i = 0; i < 50; ++i) {
    double value = 10 * std::exp(noise(random));
    if (any(random) < disturbed) value *= 1 + 0.3 * any(random);
    values.push_back(i >= at ? value * step : value);
  }
  return values;
}

// In how many of 50 histories a step to a higher level is found within 3 results of the planted
// one.
int steps_found(double disturbed) {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::size_t at = 10 + seed % 31;
    for (const ChangePoint& point : find_change_points(history(seed, at, 1.05, disturbed))) {
      const double distance = std::abs(static_cast<double>(point.at) - static_cast<double>(at));
      if (distance > 3 || point.after <= point.before) continue;
      ++found;
      break;
    }
  }
  return found;
}

}  // namespace

TEST_CASE("A 5 % step in 50 noisy results is found within 3 results of where it is",
          "[change_point]") {
  const int found = steps_found(0);
  INFO("found in " << found << " of 50 histories");
  CHECK(found >= 48);
  // Also when one run in ten was disturbed, unless several were just where the step is.
  const int found_among_disturbed = steps_found(0.1);
  INFO("found in " << found_among_disturbed << " of 50 histories with disturbed runs");
  CHECK(found_among_disturbed >= 44);
}

TEST_CASE("In 50 histories without a step at most 2 are said to have one", "[change_point]") {
  int cried = 0;
  for (std::uint64_t seed = 1001; seed <= 1050; ++seed) {
    cried += find_change_points(history(seed, 50, 1)).empty() ? 0 : 1;
  }
  INFO("a step was seen in " << cried << " of 50 histories");
  CHECK(cried <= 2);
}

TEST_CASE("A single wild value is no change point", "[change_point]") {
  auto values = history(7, 50, 1);
  values[25] *= 10;
  CHECK(find_change_points(values).empty());
}

TEST_CASE("Two steps are both found, with the levels between them", "[change_point]") {
  std::vector<double> values;
  for (int i = 0; i < 60; ++i) values.push_back((i < 20 ? 10 : i < 40 ? 12 : 11) + 0.01 * (i % 5));
  const auto points = find_change_points(values);
  REQUIRE(points.size() == 2);
  CHECK(points[0].at == 20);
  CHECK(points[0].before == Approx(10.02));
  CHECK(points[0].after == Approx(12.02));
  CHECK(points[1].at == 40);
}

TEST_CASE("Equal values and few values have no change point", "[change_point]") {
  CHECK(find_change_points(std::vector<double>(50, 3.0)).empty());
  CHECK(find_change_points({}).empty());
  CHECK(find_change_points({1, 2}).empty());
  CHECK(find_change_points({1, 1, 1, 9, 9, 9}).empty());
}
