#include "packet_bench/common/histogram.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <vector>

using namespace slipway::bench;
using namespace std::chrono_literals;

TEST_CASE("an empty histogram answers with zeros", "[histogram]") {
  const Histogram histogram;
  CHECK(histogram.percentile(99) == 0ns);
  CHECK(histogram.mean_ns() == 0);
  CHECK(histogram.share_above(1ms) == 0);
}

TEST_CASE("percentiles are those of the sorted values to a thousandth", "[histogram]") {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> spread(12, 2.5);  // from below 1 us to minutes
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::int64_t>(spread(random)));
    histogram.record(std::chrono::nanoseconds(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank = static_cast<std::size_t>(percent / 100 * 20'000 + 0.999999) - 1;
    const double exact = static_cast<double>(values[rank]);
    const double said = static_cast<double>(histogram.percentile(percent).count());
    CHECK(said >= exact);
    CHECK(said <= exact * (1 + 1.0 / 1024) + 1);
  }
  CHECK(histogram.max().count() == values.back());
}

TEST_CASE("every bucket's highest value falls into that bucket", "[histogram]") {
  for (std::size_t bucket = 0; bucket < Histogram::buckets(); bucket += 7) {
    Histogram histogram;
    histogram.record(std::chrono::nanoseconds(Histogram::highest_value(bucket)));
    CHECK(histogram.count_in(bucket) == 1);
    histogram.clear();
    histogram.record(std::chrono::nanoseconds(Histogram::highest_value(bucket) + 1));
    const bool last = bucket + 1 == Histogram::buckets();
    CHECK(histogram.count_in(last ? bucket : bucket + 1) == 1);
  }
}

TEST_CASE("a bucket counts on where 32 bits end", "[histogram]") {
  const auto counted = [](const Histogram& histogram) {
    return histogram.counts_up_to(std::vector<double>{0.1, 2000});
  };
  constexpr std::uint64_t end = std::uint64_t{1} << 32;
  Histogram sum;
  Histogram power;
  power.record(1us);
  for (int bit = 0; bit < 32; ++bit) {
    sum.add(power);
    const Histogram same = power;
    power.add(same);
  }
  CHECK(counted(sum) == std::vector<std::uint64_t>{end - 1, 0});
  CHECK(counted(power) == std::vector<std::uint64_t>{end, 0});  // carried when added
  sum.record(1us);                                              // carried when recorded
  sum.record(1s);
  CHECK(counted(sum) == std::vector<std::uint64_t>{end, 1});
  sum.add(power);
  CHECK(counted(sum) == std::vector<std::uint64_t>{2 * end, 1});
  CHECK(sum.count() == 2 * end + 1);
  CHECK(sum.percentile(99.999) < 2us);
  sum.clear();
  sum.record(1us);
  CHECK(counted(sum) == std::vector<std::uint64_t>{1, 0});
}

TEST_CASE("negative and enormous values are counted at the ends", "[histogram]") {
  Histogram histogram;
  histogram.record(-5ns);
  histogram.record(100h);
  CHECK(histogram.count() == 2);
  CHECK(histogram.percentile(50) == 0ns);
  CHECK(histogram.max() == 100h);
}

TEST_CASE("added histograms hold both", "[histogram]") {
  Histogram a;
  Histogram b;
  for (int i = 0; i < 90; ++i) a.record(1ms);
  for (int i = 0; i < 10; ++i) b.record(1s);
  a.add(b);
  CHECK(a.count() == 100);
  CHECK(a.percentile(90).count() == Approx(1e6).epsilon(0.001));
  CHECK(a.percentile(91).count() == Approx(1e9).epsilon(0.001));
  CHECK(a.share_above(10ms) == Approx(0.1));
}
