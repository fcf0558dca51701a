#pragma once

// The decisions of deploy and rollback as a pure table. It does no I/O and knows no engine.
//
//! A user's traffic is moved only by flip and flip_back.
//! Every way back ends on the version that served before, or on the better of the two.
//! There is no loop: each walk ends after at most as many steps as there are.

#include "deploy/model/exit_code.hpp"

#include <optional>
#include <string_view>

namespace slipway::deploy {

// What is being done. In the order of a good run, then the ways back.
enum class Step {
  hold,       // keep what a rollback needs: images, configuration snapshots
  proxy,      // the switch runs and can be read
  start,      // the candidate colour runs as a standby
  prove,      // health, version, restarts, a real request
  promote,    // the candidate becomes active
  flip,       // the switch names the candidate
  drain,      // the old colour answers what it accepted and becomes a warm standby
  bake,       // the candidate under load against the old colour's baseline
  settle,     // housekeeping that may fail without consequence
  abandon,    // back, before the flip: take the candidate away
  restore,    // back, after the flip: the old colour becomes active again
  flip_back,  // the switch names the old colour
  retire,     // the candidate is drained and taken away
  rewarm,     // what the candidate displaced waits on its colour again
  end,
};
inline constexpr int step_count = static_cast<int>(Step::end) + 1;

// How a step came out.
enum class Event {
  done,
  failed,       // it did not work, and the world is as before it
  unproven,     // the candidate does not do what it must
  uncertain,    // it cannot be known whether it took effect
  interrupted,  // a stop was requested while the step ran
};
inline constexpr int event_count = static_cast<int>(Event::interrupted) + 1;

// Why a run goes back; `none` while it goes forward.
enum class Verdict { none, failed, unproven, interrupted, helpless };
inline constexpr int verdict_count = static_cast<int>(Verdict::helpless) + 1;

// The facts of a plan that decisions depend on.
struct Situation {
  bool rollback = false;
  bool has_old = true;  // something serves already
  // One instance at a time: the candidate is proven where it serves, in the step bake.
  bool proven_in_place = false;
};

struct State {
  Step step = Step::hold;
  Verdict verdict = Verdict::none;
  bool operator==(const State&) const = default;
};

State next(const Situation& situation, const State& state, Event event);

// Whether users were seen to be served when the run had ended.
enum class Serving { yes, no, unseen };
inline constexpr int serving_count = static_cast<int>(Serving::unseen) + 1;

// The status of a run that ended with this verdict. 0 is only for what was just seen to serve;
// where something served before and nothing does now, a human is needed, whatever was taken back.
ExitCode exit_code(const Situation& situation, Verdict verdict, Serving serving);

std::string_view to_string(Step step);
std::string_view to_string(Event event);
std::string_view to_string(Verdict verdict);
std::optional<Step> parse_step(std::string_view text);
std::optional<Event> parse_event(std::string_view text);
std::optional<Verdict> parse_verdict(std::string_view text);

}  // namespace slipway::deploy
