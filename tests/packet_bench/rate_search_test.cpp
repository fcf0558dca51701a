#include "packet_bench/search/rate_search.hpp"

#include "support/catch.hpp"

#include <functional>
#include <random>

using namespace slipway::bench;

namespace {

struct Searched {
  std::optional<double> found;
  Bound bound;
  unsigned probes = 0;
};

Searched search(const SearchLimits& limits, const std::function<ProbeOutcome(double)>& probe) {
  RateSearch search(limits);
  unsigned probes = 0;
  while (const auto rate = search.next()) {
    REQUIRE(++probes < 200);
    search.record(probe(*rate));
  }
  return {search.found(), search.bounded_by(), probes};
}

std::function<ProbeOutcome(double)> capacity(double most, Bound bound = Bound::target) {
  return [most, bound](double rate) {
    return rate <= most ? ProbeOutcome{true, Bound::none, {}}
                        : ProbeOutcome{false, bound, "too much"};
  };
}

}  // namespace

TEST_CASE("the rate found is within the resolution below the capacity", "[search]") {
  const double most = GENERATE(3.0, 777.0, 9'999.0, 10'000.0, 10'001.0, 123'456.0, 4'900'000.0);
  const Searched result = search({}, capacity(most));
  REQUIRE(result.found);
  CHECK(*result.found <= most);
  CHECK(*result.found >= most / 1.02);
  CHECK(result.bound == Bound::target);
}

TEST_CASE("a search needs few runs", "[search]") {
  // 10,000, 20,000, then 40,000 twice; 30,000 twice; 25,000; five more cuts; two confirmations.
  CHECK(search({}, capacity(26'000)).probes <= 24);
}

TEST_CASE("a target that sustains the highest rate allowed is bounded by nothing", "[search]") {
  const Searched result = search({.first = 100, .most = 1'000}, capacity(1e9));
  CHECK(result.found == 1'000);
  CHECK(result.bound == Bound::none);
}

TEST_CASE("a target that sustains no rate yields none and the reason", "[search]") {
  const Searched result = search({.first = 100}, capacity(0));
  CHECK_FALSE(result.found);
  CHECK(result.bound == Bound::target);
}

TEST_CASE("what bounded the search is what the last failure at the limit said", "[search]") {
  CHECK(search({}, capacity(50'000, Bound::generator)).bound == Bound::generator);
  CHECK(search({}, capacity(50'000, Bound::machine)).bound == Bound::machine);
}

TEST_CASE("disturbed runs neither move the result by more than a few percent nor go unsaid",
          "[search]") {
  std::mt19937 random(4);
  for (int trial = 0; trial < 200; ++trial) {
    std::bernoulli_distribution disturbed(0.1);
    const auto real = capacity(26'000);
    const Searched result = search({}, [&](double rate) {
      if (disturbed(random)) return ProbeOutcome{false, Bound::machine, "steal"};
      return real(rate);
    });
    REQUIRE(result.found);
    CHECK(*result.found <= 26'000);
    // Three disturbed runs in a row end the search below, but then it says why.
    CHECK((*result.found >= 26'000 * 0.9 || result.bound == Bound::machine));
  }
}

TEST_CASE("a rate that was held by luck does not survive its confirmation", "[search]") {
  bool lucky = true;
  const auto real = capacity(19'000);
  const Searched result = search({}, [&](double rate) {
    if (rate == 20'000 && lucky) {
      lucky = false;
      return ProbeOutcome{true, Bound::none, {}};
    }
    return real(rate);
  });
  REQUIRE(result.found);
  CHECK(*result.found <= 19'000);
  CHECK(*result.found >= 19'000 * 0.95);
}
