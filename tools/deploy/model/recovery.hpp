#pragma once

// Where a run that was killed is taken up again: a pure table over the journal's tail and what is
// really there. State follows reality, never the other way.

#include "deploy/model/transition.hpp"

#include <optional>

namespace slipway::deploy {

// What the switch names, in the terms of the open transaction.
enum class Served { nothing, old, candidate, unknown };
inline constexpr int served_count = 4;

struct Reality {
  Served served = Served::unknown;
  bool old_alive = false;        // the old colour answers with the old releaseId
  bool candidate_alive = false;  // the candidate answers with the target's releaseId
};

struct Tail {
  State at;          // the last step whose intent was recorded
  int attempts = 0;  // recoveries of this transaction that were begun before
};

inline constexpr int most_attempts = 3;

// The state to go on from, or nothing where the traffic cannot be told: nothing may be touched.
std::optional<State> recover(const Situation& situation, const Tail& tail, const Reality& reality);

}  // namespace slipway::deploy
