// The steps of the strategy `recreate`: one container at a time, so the new one is proven where it
// serves, and the time without service is measured.
#include "deploy/run/operation.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

// The first healthy answer ends the time without service.
void Operation::note_service() {
  if (!plan_.recreate || report_.seconds_to_switched) return;
  report_.seconds_to_switched = since_s(command_began_);
  if (service_ended_) report_.seconds_without_service = since_s(*service_ended_);
}

Operation::Outcome Operation::prove_in_place(std::stop_token stop) {
  candidate_began_ = world_.clock.now();
  Outcome proven = prove(std::move(stop));
  if (proven.event == Event::done && report_.seconds_without_service) {
    proven.detail += fmt::format(", {:.3f} s without service", *report_.seconds_without_service);
  }
  return proven;
}

Operation::Outcome Operation::start_old_again() {
  auto flipped = flip(plan_.old_colour());
  if (flipped.event != Event::done) return flipped;
  if (auto wrong = wait_for_role(plan_.old_colour(), *plan_.old, "active", true,
                                 world_.config.step_deadline, {})) {
    return {Event::failed, "the old version does not come back: " + *wrong};
  }
  if (service_ended_) report_.seconds_without_service = since_s(*service_ended_);
  return flipped;
}

}  // namespace slipway::deploy
