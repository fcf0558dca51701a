#include "connector/round_pacer.hpp"

#include "support/catch.hpp"

using namespace slipway::connector;
using namespace std::chrono_literals;

namespace {

// Plays rounds of `messages` each, `every` apart plus the rest; says how many of `rounds` rested.
int rests(RoundPacer& pacer, RoundPacer::TimePoint& now, std::uint64_t messages,
          std::chrono::nanoseconds every, int rounds) {
  int rested = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto rest = pacer.after_round(messages, now);
    if (rest > 0ns) ++rested;
    now += every + rest;
  }
  return rested;
}

}  // namespace

TEST_CASE("a quiet connector never rests", "[connector]") {
  RoundPacer pacer(300us);
  RoundPacer::TimePoint now{100s};
  CHECK(rests(pacer, now, 1, 1ms, 1000) == 0);
}

TEST_CASE("a busy connector rests so that messages gather", "[connector]") {
  RoundPacer pacer(300us);
  RoundPacer::TimePoint now{100s};
  rests(pacer, now, 6, 50us, 400);
  CHECK(rests(pacer, now, 6, 50us, 400) == 400);
}

TEST_CASE("rounds that are full anyway are not followed by a rest", "[connector]") {
  RoundPacer pacer(300us);
  RoundPacer::TimePoint now{100s};
  CHECK(rests(pacer, now, 200, 100us, 1000) == 0);
}

TEST_CASE("a peer that waits for each answer is hardly slowed down", "[connector]") {
  RoundPacer pacer(300us);
  RoundPacer::TimePoint now{100s};
  // Whatever the rest, two messages come in each round.
  CHECK(rests(pacer, now, 2, 60us, 10'000) < 1500);
}

TEST_CASE("without a configured rest there is none", "[connector]") {
  RoundPacer pacer(0us);
  RoundPacer::TimePoint now{100s};
  CHECK(rests(pacer, now, 6, 50us, 1000) == 0);
}
