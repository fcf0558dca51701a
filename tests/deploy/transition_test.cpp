#include "deploy/model/transition.hpp"

#include "support/catch.hpp"

#include <set>

using namespace slipway::deploy;

namespace {

constexpr int no_limit = 1000;

// Every state reachable from `state` under every sequence of events, with the longest walk.
void walk(const Situation& situation, State state, int length, std::set<std::pair<int, int>>& ends,
          int& longest, std::vector<Step>& path) {
  REQUIRE(length < no_limit);
  longest = std::max(longest, length);
  if (state.step == Step::end) {
    ends.insert({static_cast<int>(state.verdict), 0});
    return;
  }
  path.push_back(state.step);
  for (int event = 0; event < event_count; ++event) {
    const State after = next(situation, state, static_cast<Event>(event));
    INFO(to_string(state.step) << " on " << to_string(static_cast<Event>(event)) << " -> "
                               << to_string(after.step));
    // No step is done twice in one walk, so no walk can loop.
    CHECK(std::find(path.begin(), path.end(), after.step) == path.end());
    // A run that goes back never goes forward again.
    if (state.verdict != Verdict::none) CHECK(after.verdict != Verdict::none);
    // Only an operation with something to go back to goes back to it.
    if (!situation.has_old) {
      CHECK(after.step != Step::restore);
      CHECK(after.step != Step::flip_back);
    }
    // After the flip the candidate serves: it is never taken away before the way back was flipped.
    if (after.step == Step::abandon) CHECK(state.step <= Step::flip);
    if (after.step == Step::retire) CHECK(state.step == Step::flip_back);
    walk(situation, after, length + 1, ends, longest, path);
  }
  path.pop_back();
}

}  // namespace

TEST_CASE("every walk through the table ends, without a loop and on one side", "[transition]") {
  for (const bool rollback : {false, true}) {
    for (const bool has_old : {false, true}) {
      for (const bool recreate : {false, true}) {
        std::set<std::pair<int, int>> ends;
        int longest = 0;
        std::vector<Step> path;
        walk({rollback, has_old, recreate}, {Step::hold, Verdict::none}, 0, ends, longest, path);
        CHECK(longest <= step_count);
        CHECK(ends.size() >= 3);
      }
    }
  }
}

TEST_CASE("a good run holds, starts, proves, promotes, flips, drains and bakes in this order",
          "[transition]") {
  State state;
  std::string order;
  while (state.step != Step::end) {
    order += std::string(to_string(state.step)) + " ";
    state = next({false, true}, state, Event::done);
  }
  CHECK(order == "hold proxy start prove promote flip drain bake settle ");
  CHECK(exit_code({false, true}, state.verdict, Serving::yes) == ExitCode::done);
}

TEST_CASE("an unproven candidate is abandoned before users see it and the status is 4",
          "[transition]") {
  const State after = next({false, true}, {Step::prove, Verdict::none}, Event::unproven);
  CHECK(after == State{Step::abandon, Verdict::unproven});
  CHECK(exit_code({false, true}, after.verdict, Serving::yes) == ExitCode::rolled_back);
}

TEST_CASE("a rollback target that is unproven needs a human", "[transition]") {
  const State after = next({true, true}, {Step::prove, Verdict::none}, Event::unproven);
  CHECK(exit_code({true, true}, after.verdict, Serving::yes) == ExitCode::needs_human);
}

TEST_CASE("a candidate that is worse under load is flipped back by way of the old colour",
          "[transition]") {
  const Situation situation{false, true};
  State state = next(situation, {Step::bake, Verdict::none}, Event::unproven);
  CHECK(state == State{Step::restore, Verdict::unproven});
  state = next(situation, state, Event::done);
  CHECK(state == State{Step::flip_back, Verdict::unproven});
  state = next(situation, state, Event::done);
  CHECK(state == State{Step::retire, Verdict::unproven});
  CHECK(next(situation, state, Event::failed) == State{Step::rewarm, Verdict::unproven});
}

TEST_CASE("with recreate even a rollback is proven after the flip, and taken back",
          "[transition]") {
  CHECK(next({true, true, true}, {Step::bake, Verdict::none}, Event::unproven) ==
        State{Step::restore, Verdict::unproven});
  CHECK(next({false, false, true}, {Step::bake, Verdict::none}, Event::unproven) ==
        State{Step::end, Verdict::helpless});
}

TEST_CASE("an old version that does not come back leaves the candidate serving", "[transition]") {
  const State after = next({false, true}, {Step::restore, Verdict::unproven}, Event::unproven);
  CHECK(after == State{Step::end, Verdict::helpless});
}

TEST_CASE("a drain that fails does not cost the requests twice", "[transition]") {
  CHECK(next({false, true}, {Step::drain, Verdict::none}, Event::failed).step == Step::bake);
}

TEST_CASE(
    "no status says more than was seen: 0 only where it serves, 3 and 4 only where the old does",
    "[transition]") {
  for (const bool rollback : {false, true}) {
    for (const bool has_old : {false, true}) {
      for (int i = 0; i < verdict_count; ++i) {
        for (int j = 0; j < serving_count; ++j) {
          const auto serving = static_cast<Serving>(j);
          const auto verdict = static_cast<Verdict>(i);
          const ExitCode code = exit_code({rollback, has_old}, verdict, serving);
          INFO(rollback << has_old << " " << to_string(verdict) << " " << j);
          if (code == ExitCode::done) CHECK((verdict == Verdict::none && serving == Serving::yes));
          if (has_old && serving == Serving::no) CHECK(code == ExitCode::needs_human);
          if (verdict == Verdict::helpless) CHECK(code == ExitCode::needs_human);
        }
      }
    }
  }
  CHECK(exit_code({false, true}, Verdict::unproven, Serving::yes) == ExitCode::rolled_back);
  CHECK(exit_code({false, true}, Verdict::failed, Serving::yes) == ExitCode::failed);
  CHECK(exit_code({false, true}, Verdict::interrupted, Serving::yes) == ExitCode::interrupted);
  CHECK(exit_code({false, false}, Verdict::unproven, Serving::no) == ExitCode::rolled_back);
}

TEST_CASE("names of steps, events and verdicts can be read back", "[transition]") {
  for (int i = 0; i < step_count; ++i) {
    CHECK(parse_step(to_string(static_cast<Step>(i))) == static_cast<Step>(i));
  }
  for (int i = 0; i < event_count; ++i) {
    CHECK(parse_event(to_string(static_cast<Event>(i))) == static_cast<Event>(i));
  }
  for (int i = 0; i < verdict_count; ++i) {
    CHECK(parse_verdict(to_string(static_cast<Verdict>(i))) == static_cast<Verdict>(i));
  }
  CHECK_FALSE(parse_step("nonsense").has_value());
}
