#include "deploy/model/recovery.hpp"

namespace slipway::deploy {
namespace {

bool after_flip(Step step) {
  return step == Step::drain || step == Step::bake || step == Step::settle ||
         step == Step::restore || step == Step::flip_back || step == Step::retire;
}

// Traffic goes to the candidate: the flip took effect, or a flip back did not yet.
State on_candidate(const Situation& situation, const Tail& tail, const Reality& reality) {
  const bool exhausted = tail.attempts >= most_attempts;
  const bool going_back = tail.at.verdict != Verdict::none;
  if (!reality.candidate_alive) {
    if (!situation.has_old || !reality.old_alive) return {Step::end, Verdict::helpless};
    if (exhausted) return {Step::flip_back, Verdict::helpless};
    return {Step::restore, going_back ? tail.at.verdict : Verdict::unproven};
  }
  if (exhausted) return {Step::end, Verdict::helpless};
  if (going_back && situation.has_old && reality.old_alive) {
    return {Step::restore, tail.at.verdict};
  }
  if (going_back) return {Step::end, Verdict::helpless};
  // Promoting again and setting the map again change nothing where they were done already.
  return {Step::promote, Verdict::none};
}

// Traffic goes where it went before.
State on_old(const Situation& situation, const Tail& tail, const Reality& reality) {
  const bool exhausted = tail.attempts >= most_attempts;
  const bool old_is_worse = situation.has_old && !reality.old_alive && reality.candidate_alive;
  if (exhausted) {
    const bool proven = tail.at.step >= Step::promote && tail.at.verdict == Verdict::none;
    if (old_is_worse && proven) return {Step::promote, Verdict::none};
    return {Step::end, Verdict::helpless};
  }
  if (tail.at.step == Step::rewarm) return State{Step::rewarm, tail.at.verdict};
  if (tail.at.verdict != Verdict::none) {
    return {after_flip(tail.at.step) ? Step::retire : Step::abandon, tail.at.verdict};
  }
  // The journal says the flip was done, the map does not: somebody took it back.
  if (after_flip(tail.at.step) && !old_is_worse) return {Step::retire, Verdict::unproven};
  // A rollback is wanted more than ever after an accident; its steps can all be done again.
  if (situation.rollback || old_is_worse) return {Step::hold, Verdict::none};
  return {Step::abandon, Verdict::failed};
}

}  // namespace

std::optional<State> recover(const Situation& situation, const Tail& tail, const Reality& reality) {
  switch (reality.served) {
    case Served::unknown:
      return std::nullopt;
    case Served::candidate:
      return on_candidate(situation, tail, reality);
    case Served::old:
      return on_old(situation, tail, reality);
    case Served::nothing:
      // A first deploy that did not get as far as the flip, or a map that lost its entry.
      if (!situation.has_old) {
        return tail.attempts >= most_attempts ? State{Step::end, Verdict::helpless}
                                              : State{Step::abandon, Verdict::failed};
      }
      if (reality.old_alive) {
        const bool exhausted = tail.attempts >= most_attempts;
        return State{Step::restore, exhausted ? Verdict::helpless : Verdict::unproven};
      }
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace slipway::deploy
