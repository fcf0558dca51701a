#include "deploy/model/transition.hpp"

#include <array>

namespace slipway::deploy {
namespace {

constexpr std::array<std::string_view, step_count> steps{
    "hold",   "proxy",   "start",   "prove",     "promote", "flip",   "drain", "bake",
    "settle", "abandon", "restore", "flip_back", "retire",  "rewarm", "end"};
constexpr std::array<std::string_view, event_count> events{"done", "failed", "unproven",
                                                           "uncertain", "interrupted"};
constexpr std::array<std::string_view, verdict_count> verdicts{"none", "failed", "unproven",
                                                               "interrupted", "helpless"};

template <typename Enum, std::size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

Verdict verdict_of(Event event) {
  switch (event) {
    case Event::unproven:
      return Verdict::unproven;
    case Event::interrupted:
      return Verdict::interrupted;
    default:
      return Verdict::failed;
  }
}

State back_before_flip(Step to, Event event) {
  return {to, verdict_of(event)};
}

}  // namespace

State next(const Situation& situation, const State& state, Event event) {
  const bool done = event == Event::done;
  switch (state.step) {
    case Step::hold:
      return done ? State{Step::proxy, Verdict::none} : back_before_flip(Step::end, event);
    case Step::proxy:
      return done ? State{Step::start, Verdict::none} : back_before_flip(Step::end, event);
    case Step::start:
      return done ? State{Step::prove, Verdict::none} : back_before_flip(Step::abandon, event);
    case Step::prove:
      return done ? State{Step::promote, Verdict::none} : back_before_flip(Step::abandon, event);
    case Step::promote:
      return done ? State{Step::flip, Verdict::none} : back_before_flip(Step::abandon, event);
    case Step::flip:
      if (done) return {Step::drain, Verdict::none};
      // Where the map could not be read back, it may name the candidate: set it again, the other
      // way. With nothing to go back to, the candidate is all there is.
      if (event == Event::uncertain) {
        return situation.has_old ? State{Step::flip_back, Verdict::failed}
                                 : State{Step::end, Verdict::helpless};
      }
      return back_before_flip(Step::abandon, event);
    case Step::drain:
      // A drain that was cut short costs requests in flight, going back would cost them again.
      if (event == Event::interrupted && situation.has_old && !situation.rollback) {
        return {Step::restore, Verdict::interrupted};
      }
      return {Step::bake, Verdict::none};
    case Step::bake:
      if (done) return {Step::settle, Verdict::none};
      if (situation.proven_in_place && !situation.has_old) return {Step::end, Verdict::helpless};
      // What a rollback went to was proven before; one that is proven in place is proven only here.
      if (!situation.proven_in_place && (!situation.has_old || situation.rollback)) {
        return {Step::settle, Verdict::none};
      }
      return {Step::restore, verdict_of(event)};
    case Step::settle:
      return {Step::end, Verdict::none};
    case Step::abandon:
    case Step::retire:
      return {Step::rewarm, state.verdict};
    case Step::restore:
      // The old version does not come back either: stay on the candidate, which at least serves.
      return done ? State{Step::flip_back, state.verdict} : State{Step::end, Verdict::helpless};
    case Step::flip_back:
      return done ? State{Step::retire, state.verdict} : State{Step::end, Verdict::helpless};
    case Step::rewarm:
    case Step::end:
      return {Step::end, state.verdict};
  }
  return {Step::end, Verdict::helpless};
}

ExitCode exit_code(const Situation& situation, Verdict verdict, Serving serving) {
  if (situation.has_old && serving == Serving::no) return ExitCode::needs_human;
  switch (verdict) {
    case Verdict::none:
      return serving == Serving::yes ? ExitCode::done : ExitCode::needs_human;
    case Verdict::failed:
      return ExitCode::failed;
    case Verdict::unproven:
      return situation.rollback ? ExitCode::needs_human : ExitCode::rolled_back;
    case Verdict::interrupted:
      return ExitCode::interrupted;
    case Verdict::helpless:
      return ExitCode::needs_human;
  }
  return ExitCode::needs_human;
}

std::string_view to_string(Step step) {
  return steps.at(static_cast<std::size_t>(step));
}
std::string_view to_string(Event event) {
  return events.at(static_cast<std::size_t>(event));
}
std::string_view to_string(Verdict verdict) {
  return verdicts.at(static_cast<std::size_t>(verdict));
}
std::optional<Step> parse_step(std::string_view text) {
  return parse<Step>(steps, text);
}
std::optional<Event> parse_event(std::string_view text) {
  return parse<Event>(events, text);
}
std::optional<Verdict> parse_verdict(std::string_view text) {
  return parse<Verdict>(verdicts, text);
}

}  // namespace slipway::deploy
