#include "deploy/model/recovery.hpp"

#include "support/catch.hpp"

using namespace slipway::deploy;

namespace {

// Calls `check` with every combination of situation, tail and reality.
template <typename Check>
void for_every_combination(Check check) {
  for (int bits = 0; bits < 16; ++bits) {
    const Situation situation{(bits & 1) != 0, (bits & 2) != 0};
    if (!situation.has_old && (bits & 4) != 0) continue;  // nothing can be alive that is not there
    for (int step = 0; step < static_cast<int>(Step::end); ++step) {
      for (int verdict = 0; verdict < verdict_count; ++verdict) {
        for (int attempts = 0; attempts <= most_attempts + 1; ++attempts) {
          for (int served = 0; served < served_count; ++served) {
            const Tail tail{{static_cast<Step>(step), static_cast<Verdict>(verdict)}, attempts};
            const Reality reality{static_cast<Served>(served), (bits & 4) != 0, (bits & 8) != 0};
            check(situation, tail, reality);
          }
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("recovery touches nothing where the traffic cannot be told", "[recovery]") {
  for_every_combination([](const Situation& situation, const Tail& tail, const Reality& reality) {
    if (reality.served == Served::unknown) CHECK_FALSE(recover(situation, tail, reality));
  });
}

TEST_CASE("recovery never takes away the colour that serves", "[recovery]") {
  for_every_combination([](const Situation& situation, const Tail& tail, const Reality& reality) {
    const auto state = recover(situation, tail, reality);
    if (!state || reality.served != Served::candidate) return;
    INFO(to_string(tail.at.step) << " " << to_string(state->step));
    CHECK(state->step != Step::abandon);
    CHECK(state->step != Step::retire);
  });
}

TEST_CASE("recovery never leaves a healthy version for a dead one", "[recovery]") {
  for_every_combination([](const Situation& situation, const Tail& tail, const Reality& reality) {
    const auto state = recover(situation, tail, reality);
    if (!state) return;
    const bool to_old = state->step == Step::restore || state->step == Step::flip_back;
    if (reality.served == Served::candidate && reality.candidate_alive && !reality.old_alive) {
      CHECK_FALSE(to_old);
    }
    // Dead on the candidate and alive on the old: go back to it, whatever the journal says.
    if (reality.served == Served::candidate && !reality.candidate_alive && situation.has_old &&
        reality.old_alive) {
      CHECK(to_old);
    }
  });
}

TEST_CASE("recovery is bounded: after the last attempt nothing is started any more", "[recovery]") {
  for_every_combination([](const Situation& situation, const Tail& tail, const Reality& reality) {
    if (tail.attempts < most_attempts) return;
    const auto state = recover(situation, tail, reality);
    if (!state) return;
    CHECK((state->step == Step::end || state->step == Step::flip_back ||
           state->step == Step::restore || state->step == Step::promote));
  });
}

TEST_CASE("a deploy killed before the flip is taken back, a rollback is finished", "[recovery]") {
  const Reality before_flip{Served::old, true, true};
  for (const Step step : {Step::hold, Step::proxy, Step::start, Step::prove, Step::promote}) {
    CHECK(recover({false, true}, {{step, Verdict::none}, 0}, before_flip)->step == Step::abandon);
    CHECK(recover({true, true}, {{step, Verdict::none}, 0}, before_flip)->step == Step::hold);
  }
}

TEST_CASE("a deploy killed after the flip is finished", "[recovery]") {
  const Reality flipped{Served::candidate, true, true};
  for (const Step step : {Step::flip, Step::drain, Step::bake, Step::settle}) {
    CHECK(recover({false, true}, {{step, Verdict::none}, 0}, flipped) ==
          State{Step::promote, Verdict::none});
  }
}
