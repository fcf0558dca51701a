#include "packet_bench/common/statistics.hpp"

#include "support/catch.hpp"

#include <cmath>
#include <random>

using namespace slipway::bench;

namespace {

// Expected values are from SciPy 1.17.1 unless said otherwise: scipy.stats.wilcoxon,
// scipy.stats.norm, scipy.stats.multivariate_normal.
const std::vector<double> ten{0.8, 1.9, -0.4, 2.2, 1.1, -1.3, 0.6, 3.1, 0.2, 1.5};

std::vector<double> forty() {
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) values.push_back(0.3 + ((i * 37) % 41 - 20) / 10.0);
  return values;
}

}  // namespace

TEST_CASE("The normal distribution has the tails and quantiles of the tables", "[statistics]") {
  CHECK(normal_upper_tail(0) == Approx(0.5));
  CHECK(normal_upper_tail(1) == Approx(0.158655254));
  CHECK(normal_upper_tail(5) == Approx(2.86651572e-07));
  CHECK(normal_quantile(1e-6) == Approx(-4.75342431));
  CHECK(normal_quantile(0.025) == Approx(-1.95996398));
  CHECK(normal_quantile(0.9) == Approx(1.28155157));
}

TEST_CASE("The Hodges-Lehmann estimate is the median of the Walsh averages", "[statistics]") {
  CHECK(hodges_lehmann(ten) == Approx(0.95));
  CHECK(hodges_lehmann(forty()) == Approx(0.35));
  CHECK(hodges_lehmann(std::vector{7.0}) == 7);
}

TEST_CASE("One wild value in ten hardly moves the Hodges-Lehmann estimate", "[statistics]") {
  auto wild = ten;
  wild[3] = 1e9;
  CHECK(std::abs(hodges_lehmann(wild) - 0.95) < 0.3);
}

TEST_CASE("The signed-rank test is exact for few values", "[statistics]") {
  CHECK(signed_rank_upper_p(ten) == Approx(0.0244140625).epsilon(1e-12));
}

TEST_CASE("The signed-rank test is exact with ties", "[statistics]") {
  // All 256 sign patterns counted over the mid-ranks.
  CHECK(signed_rank_upper_p(std::vector<double>{1, 2, -2, 3, 3, -1, 4, 2}) ==
        Approx(0.05078125).epsilon(1e-12));
}

TEST_CASE("The signed-rank test of many values corrects for ties and continuity", "[statistics]") {
  CHECK(signed_rank_upper_p(forty()) == Approx(0.04431246130228302).epsilon(1e-9));
}

TEST_CASE("Nothing, or nothing but zeros, is no evidence", "[statistics]") {
  CHECK(signed_rank_upper_p({}) == 1);
  CHECK(signed_rank_upper_p(std::vector<double>(12, 0.0)) == 1);
}

TEST_CASE("The signed-rank interval ends at the Walsh averages that the test rejects at",
          "[statistics]") {
  // n = 10: P(W+ >= 47) = 0.0244, so at 2.5 % the 9th of 55 averages from each end.
  const Interval interval = signed_rank_interval(ten, 0.025);
  CHECK(interval.low == Approx(0.1));
  CHECK(interval.high == Approx(1.9));
}

TEST_CASE("The interval and the test agree on every border", "[statistics]") {
  for (const auto& values : {ten, forty()}) {
    for (const double alpha : {0.001, 0.01, 0.025, 0.1}) {
      const Interval interval = signed_rank_interval(values, alpha);
      for (const double offset : {-1e-6, 1e-6}) {
        auto shifted = values;
        for (double& value : shifted) value -= interval.low + offset;
        // The normal approximation rounds the critical sum up, so a little below is enough.
        if (offset > 0) CHECK(signed_rank_upper_p(shifted) > alpha * 0.9);
        if (offset < 0) CHECK(signed_rank_upper_p(shifted) <= alpha * 1.05);
      }
    }
  }
}

TEST_CASE("So few values have no interval", "[statistics]") {
  const Interval interval = signed_rank_interval(std::vector<double>{1, 2, 3}, 0.01);
  CHECK(std::isinf(interval.low));
  CHECK(std::isinf(interval.high));
}

TEST_CASE("Alpha is spent over the looks as the multivariate normal distribution says",
          "[statistics]") {
  // Bounds solved with SciPy's multivariate_normal.cdf and brentq: corr(Z_i, Z_j) = sqrt(t_i /
  // t_j).
  const auto bound = [](double level) { return -normal_quantile(level); };
  AlphaSpending two(0.05, 2);
  CHECK(bound(two.next_level(0.3)) == Approx(2.61205).epsilon(1e-4));
  CHECK(bound(two.next_level(1)) == Approx(1.66851).epsilon(1e-3));
  AlphaSpending linear(0.025, 1);
  CHECK(bound(linear.next_level(0.5)) == Approx(2.24140).epsilon(1e-4));
  CHECK(bound(linear.next_level(1)) == Approx(2.12512).epsilon(1e-3));
  AlphaSpending three(0.01, 2);
  CHECK(bound(three.next_level(0.25)) == Approx(3.22722).epsilon(1e-4));
  CHECK(bound(three.next_level(0.5)) == Approx(2.86926).epsilon(1e-3));
  CHECK(bound(three.next_level(1)) == Approx(2.39063).epsilon(1e-3));
}

TEST_CASE("Twenty looks at noise reject no more often than one would", "[statistics]") {
  constexpr int trials = 4000;
  constexpr int looks = 20;
  std::vector<double> levels;
  AlphaSpending spending(0.05, 2);
  for (int i = 1; i <= looks; ++i)
    levels.push_back(spending.next_level(static_cast<double>(i) / looks));
  std::mt19937_64 random(20261124);
  std::normal_distribution<double> noise;
  int rejected = 0;
  int naive = 0;
  for (int trial = 0; trial < trials; ++trial) {
    double sum = 0;
    bool crossed = false;
    bool crossed_naively = false;
    for (int i = 1; i <= looks; ++i) {
      sum += noise(random);
      const double p = normal_upper_tail(sum / std::sqrt(i));
      crossed = crossed || p <= levels[static_cast<std::size_t>(i - 1)];
      crossed_naively = crossed_naively || p <= 0.05;
    }
    rejected += crossed ? 1 : 0;
    naive += crossed_naively ? 1 : 0;
  }
  // 200 are expected, with a standard deviation of 14.
  CHECK(rejected > 140);
  CHECK(rejected < 260);
  CHECK(naive > 600);
}
