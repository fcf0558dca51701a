#include "deploy/run/recreate.hpp"

#include "deploy/run/candidate_proof.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

// The one that is stopped has no running instance, and so nothing that a prune of all that does not
// run would leave.
Outcome Recreate::hold(Course& course, std::stop_token stop) {
  Outcome held = SharedSteps::hold(course, stop);
  const Plan& plan = course.plan;
  std::vector<Release> both{plan.target};
  if (plan.old) both.insert(both.begin(), *plan.old);
  for (const Release& release : both) {
    if (held.event != Event::done) return held;
    Outcome kept = changing("hold:archive", [&] { return ports_.engine.archive(release, stop); });
    // A way back is not barred by a disk that is full.
    if (kept.event != Event::done && plan.rollback) kept.event = Event::done;
    held = std::move(kept);
  }
  return held;
}

Outcome Recreate::proxy(Course& course, std::stop_token) {
  // The old instance has what users come in by, and gives it up.
  if (course.plan.old) return {};
  const service::Service target = service_of(ports_, course.plan.target);
  if (auto free = ports_.traffic.check_entrance({target, target}); !free) {
    return {Event::failed, free.error().text()};
  }
  return {};
}

Outcome Recreate::prove(Course&, std::stop_token) {
  return {Event::done, "when it has taken over"};
}

Outcome Recreate::promote(Course&, std::stop_token) {
  return {Event::done, "when it has taken over"};
}

Outcome Recreate::replace_by(Course& course, Colour colour, const std::string& point) {
  if (course.plan.old && !course.service_ended) course.service_ended = ports_.clock.now();
  return flip_to(colour, point);
}

Outcome Recreate::flip(Course& course, std::stop_token) {
  return replace_by(course, course.plan.candidate, "flip:map");
}

Outcome Recreate::drain(Course&, std::stop_token) {
  return {Event::done, "it was stopped"};
}

Outcome Recreate::bake(Course& course, std::stop_token stop) {
  course.candidate_began = ports_.clock.now();
  // The first healthy answer ends the time without service.
  const auto answered = [&] {
    if (course.seconds_to_switched) return;
    course.seconds_to_switched = seconds_since(ports_.clock, course.command_began);
    if (course.service_ended) {
      course.seconds_without_service = seconds_since(ports_.clock, *course.service_ended);
    }
  };
  Outcome proven = prove_candidate(ports_, course, stop, answered);
  if (proven.event == Event::done) {
    const Plan& plan = course.plan;
    const Outcome active = activate(plan.candidate, plan.target, "bake:signal", stop);
    if (active.event != Event::done) return active;
  }
  if (proven.event == Event::done && course.seconds_without_service) {
    proven.detail += fmt::format(", {:.3f} s without service", *course.seconds_without_service);
  }
  return proven;
}

Outcome Recreate::restore(Course&, std::stop_token) {
  return {Event::done, "flip_back starts it"};
}

Outcome Recreate::flip_back(Course& course, std::stop_token) {
  const Plan& plan = course.plan;
  auto flipped = replace_by(course, plan.old_colour(), "flip_back:map");
  if (flipped.event != Event::done) return flipped;
  auto there = ports_.engine.inspect(plan.old_colour());
  if (!there) return {Event::failed, there.error().text()};
  // A signal before it answers would end it.
  if (!is_alive(ports_, plan.old_colour(), *there, *plan.old, ports_.config.step_deadline)) {
    return {Event::failed, "the old version does not come back: it does not answer as what it was"};
  }
  const Outcome active = activate(plan.old_colour(), *plan.old, "flip_back:signal", {});
  if (active.event != Event::done) {
    return {Event::failed, "the old version does not come back: " + active.detail};
  }
  if (course.service_ended) {
    course.seconds_without_service = seconds_since(ports_.clock, *course.service_ended);
  }
  return flipped;
}

Result<void> Recreate::place(Colour colour, const Release& release, const std::string& transaction,
                             std::stop_token stop) {
  return ports_.engine.create(colour, release, transaction, std::move(stop));
}

Result<bool> Recreate::finish_flip(const Survey& found) {
  if (!found.active) return false;
  const Instance& named = found.on(*found.active);
  if (!named.exists || named.running) return false;
  if (auto flipped = ports_.traffic.flip(*found.active); !flipped) return flipped.error();
  return true;
}

// What was stopped for the candidate can be started again.
bool Recreate::can_serve(Colour colour, const Instance& instance, const Release& release) {
  if (!instance.running) return instance.exists && instance.digest == release.digest;
  return is_alive(ports_, colour, instance, release, patience_of_recovery);
}

// flip_back has waited for it, and what else there is must not run beside it.
Result<std::vector<std::string>> Recreate::bring_back(const Survey&, const Ledger&,
                                                      std::stop_token) {
  return std::vector<std::string>{};
}

}  // namespace slipway::deploy
