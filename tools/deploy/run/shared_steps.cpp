#include "deploy/run/shared_steps.hpp"

#include "base/units.hpp"
#include "deploy/run/role_change.hpp"
#include "deploy/run/survey.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

Outcome SharedSteps::changing(const std::string& point,
                              const std::function<Result<void>()>& effect) {
  ports_.failpoint(point + ":before");
  auto done = effect();
  ports_.failpoint(point + ":after");
  if (!done) return {Event::failed, done.error().text()};
  return {};
}

Outcome SharedSteps::hold(Course& course, std::stop_token) {
  const Release& target = course.plan.target;
  if (course.snapshot && course.snapshot->hash() == target.snapshot) {
    auto written = changing("hold:snapshot", [&] { return course.snapshot->write(); });
    if (written.event != Event::done) return written;
  }
  return changing("hold:image", [&] { return ports_.engine.retain(target); });
}

Outcome SharedSteps::start(Course& course, std::stop_token stop) {
  Plan& plan = course.plan;
  course.candidate_began = ports_.clock.now();
  auto there = ports_.engine.inspect(plan.candidate);
  if (!there) return {Event::failed, there.error().text()};
  const bool is_target = there->running && there->digest == plan.target.digest &&
                         there->snapshot == plan.target.snapshot;
  if (is_target && (plan.warm || there->transaction == course.transaction)) return {};
  plan.warm = false;
  return start_colour(course, "start:colour", plan.candidate, plan.target, stop);
}

// Where the engine restarts midway, or only its reply is lost, what is there decides: an instance
// of this transaction is adopted, and nothing is started once more.
Outcome SharedSteps::start_colour(const Course& course, const std::string& point, Colour colour,
                                  const Release& release, std::stop_token stop) {
  const auto start = [&] { return place(colour, release, course.transaction, stop); };
  auto started = changing(point, start);
  if (started.event == Event::done || stop.stop_requested()) return started;
  const auto there = ports_.engine.inspect(colour);
  if (there && is_placed(*there) && there->transaction == course.transaction &&
      there->digest == release.digest && there->snapshot == release.snapshot) {
    return {Event::done, "adopted after an error: " + started.detail};
  }
  return changing(point + "_again", start);
}

Outcome SharedSteps::flip_to(Colour colour, const std::string& point,
                             std::optional<double>* seconds) {
  const auto began = ports_.clock.now();
  ports_.failpoint(point + ":before");
  auto flipped = ports_.traffic.flip(colour);
  ports_.failpoint(point + ":after");
  const double took = seconds_since(ports_.clock, began);
  if (flipped) {
    if (seconds != nullptr) *seconds = took;
    return {Event::done, fmt::format("{} in {:.1f} ms", to_string(colour), took * 1e3)};
  }
  const auto actual = ports_.traffic.active();
  if (actual && *actual == colour) {
    // Where the switch went away in the middle it comes back with what it wrote down. Only then may
    // the other colour be drained.
    if (const auto found = survey(ports_); found && !found->switch_running) {
      (void)ports_.traffic.bring_up(services_on(ports_, *found), {});
    }
    if (await_switch({}).event != Event::done) return {Event::uncertain, flipped.error().text()};
    return {Event::done, "read back after an error: " + flipped.error().text()};
  }
  if (actual && ports_.traffic.running()) return {Event::failed, flipped.error().text()};
  return {Event::uncertain, flipped.error().text()};
}

Outcome SharedSteps::await_flip(std::stop_token stop) {
  auto followed = ports_.traffic.await_flip(stop);
  if (followed) return {};
  return {stop.stop_requested() ? Event::interrupted : Event::failed, followed.error().text()};
}

Outcome SharedSteps::await_switch(std::stop_token stop) {
  const auto give_up = ports_.clock.now() + ports_.config.step_deadline;
  while (!ports_.traffic.running()) {
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    if (ports_.clock.now() > give_up) {
      return {Event::failed, std::string(ports_.traffic.words().silent)};
    }
    ports_.clock.sleep_for(std::chrono::milliseconds(20), stop);
  }
  return {};
}

Outcome SharedSteps::drain_colour(const Course& course, Colour colour, std::stop_token stop) {
  const Plan& plan = course.plan;
  const Release& release = colour == plan.candidate ? plan.target : *plan.old;
  auto there = ports_.engine.inspect(colour);
  if (there && !there->running) return {Event::done, "it does not run; nothing to drain"};
  const service::Service service = service_of(ports_, release);
  // What is told to drain sends its users away: they must not come back to it.
  if (const Outcome followed = await_flip(stop); followed.event != Event::done) return followed;
  if (!service.has_roles) return await_last_session(colour, service.drain, stop);
  auto sent =
      changing("drain:signal", [&] { return ports_.engine.set_role(colour, Role::drained); });
  if (sent.event != Event::done) return sent;
  if (auto wrong = wait_for_role(ports_, colour, release, Role::drained, service.drain, stop)) {
    return {Event::failed, "the old colour is not drained: " + *wrong};
  }
  return {Event::done, fmt::format("{} answered what it had accepted", to_string(colour))};
}

Outcome SharedSteps::await_last_session(Colour colour, std::chrono::nanoseconds deadline,
                                        std::stop_token stop) {
  const auto give_up = ports_.clock.now() + deadline;
  for (;;) {
    const auto left = ports_.traffic.sessions(colour);
    if (!left) return {Event::failed, "what goes on there cannot be seen: " + left.error().text()};
    if (!*left) {
      return {Event::done,
              fmt::format("{} stays up for what is connected to it", to_string(colour))};
    }
    if (**left == 0) {
      return {Event::done, fmt::format("{} answered what it had accepted", to_string(colour))};
    }
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    if (ports_.clock.now() >= give_up) {
      return {Event::done, fmt::format("{} has {} connections left after {}, which stay",
                                       to_string(colour), **left, format_duration(deadline))};
    }
    ports_.clock.sleep_for(std::chrono::milliseconds(50), stop);
  }
}

Outcome SharedSteps::activate(Colour colour, const Release& release, const std::string& point,
                              std::stop_token stop) {
  if (service_of(ports_, release).has_roles) {
    auto sent = changing(point, [&] { return ports_.engine.set_role(colour, Role::active); });
    if (sent.event != Event::done) return {Event::unproven, sent.detail};
  }
  if (auto wrong =
          wait_for_role(ports_, colour, release, Role::active, ports_.config.step_deadline, stop)) {
    return {Event::unproven, "it does not become active: " + *wrong};
  }
  return {};
}

Outcome SharedSteps::settle(Course&, std::stop_token) {
  return changing("settle:agree", [&] { return ports_.traffic.agree(); });
}

Outcome SharedSteps::abandon(Course& course, std::stop_token) {
  const Plan& plan = course.plan;
  (void)ports_.traffic.agree();
  // Nobody was sent to it; what is still connected to a warm one may stay.
  const bool has_roles = service_of(ports_, plan.target).has_roles;
  if (plan.warm) return has_roles ? drain_colour(course, plan.candidate, {}) : Outcome{};
  return changing("abandon:remove", [&] { return ports_.engine.remove(plan.candidate); });
}

Outcome SharedSteps::retire(Course& course, std::stop_token) {
  const Colour candidate = course.plan.candidate;
  const Outcome drained = drain_colour(course, candidate, {});
  auto removed = changing("retire:remove", [&] { return ports_.engine.remove(candidate); });
  if (removed.event == Event::done) removed.detail = drained.detail;
  return removed;
}

Outcome SharedSteps::rewarm(Course& course, std::stop_token) {
  const Plan& plan = course.plan;
  if (!plan.displaced || plan.warm) return {Event::done, "nothing was displaced"};
  auto there = ports_.engine.inspect(plan.candidate);
  if (there && there->running && there->digest == plan.displaced->digest) return {};
  return start_colour(course, "rewarm:start", plan.candidate, *plan.displaced, {});
}

}  // namespace slipway::deploy
