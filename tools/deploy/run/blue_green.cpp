#include "deploy/run/blue_green.hpp"

#include "deploy/run/answer_count.hpp"
#include "deploy/run/candidate_proof.hpp"
#include "deploy/run/clearance.hpp"
#include "deploy/run/revival.hpp"

#include <algorithm>

namespace slipway::deploy {

Outcome BlueGreen::proxy(Course& course, std::stop_token stop) {
  if (!ports_.traffic.running()) {
    const Services services = services_of(course.plan);
    if (auto free = ports_.traffic.check_entrance(services); !free) {
      return {Event::failed, free.error().text()};
    }
    auto started = changing("proxy:start", [&] { return ports_.traffic.bring_up(services, stop); });
    if (started.event != Event::done) return started;
    // What was flipped while it was down was only written down, and it reads that.
    if (const Outcome up = await_switch(stop); up.event != Event::done) return up;
    // It may have been there, made for what was configured then.
    auto carried = check_switch(ports_, course.plan);
    return carried ? Outcome{} : Outcome{Event::failed, carried.error().text()};
  }
  if (bakes(course.plan)) {
    if (auto counted = answers_of(ports_, course.plan, course.plan.old_colour())) {
      course.counted_before = *counted;
    }
  }
  return {};
}

Services BlueGreen::services_of(const Plan& plan) {
  const service::Service target = service_of(ports_, plan.target);
  const service::Service old = plan.old ? service_of(ports_, *plan.old) : target;
  return plan.candidate == Colour::blue ? Services{target, old} : Services{old, target};
}

bool BlueGreen::bakes(const Plan& plan) {
  return plan.old && !plan.rollback && service_of(ports_, plan.target).bake.window.count() > 0;
}

Outcome BlueGreen::prove(Course& course, std::stop_token stop) {
  const auto prove_cold = [&] { return prove_candidate(ports_, course, stop, [] {}); };
  Plan& plan = course.plan;
  if (!plan.warm) return prove_cold();
  // A warm colour was proven before and served since; it must still be there and be what it was.
  const auto began = course.candidate_began.value_or(ports_.clock.now());
  if (const auto there = ports_.engine.inspect(plan.candidate)) {
    course.restarts_before = there->restart_count;
  }
  const service::Service service = service_of(ports_, plan.target);
  const Expectation expected = expectation(plan.target.revision, service);
  const auto give_up = ports_.clock.now() + std::min(service.proof.deadline, ports_.longest_proof);
  for (;;) {
    const Look look = look_at_candidate(ports_, course);
    // Who goes back at night goes with what is there; a deploy has time for all of it.
    const bool enough = look.ready >= (plan.rollback ? 1 : look.desired);
    if (look.running && enough && look.wrong_image.empty() && !objection(look.answer, expected)) {
      course.seconds_to_healthy = seconds_since(ports_.clock, began);
      return {Event::done, "warm"};
    }
    // Just started, or busy: it has the time of a cold one. It may be drained, and is then not
    // ready as a cold one is to be.
    const bool may_come = look.running && look.restart_count == 0 && look.wrong_image.empty();
    if (!may_come || ports_.clock.now() >= give_up) break;
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    ports_.clock.sleep_for(service.proof.interval, stop);
  }
  // It died while it waited, or hangs: start it anew.
  plan.warm = false;
  course.restarts_before = 0;
  auto started = start_colour(course, "prove:restart", plan.candidate, plan.target, stop);
  return started.event == Event::done ? prove_cold() : started;
}

Outcome BlueGreen::promote(Course& course, std::stop_token stop) {
  const Plan& plan = course.plan;
  if (auto there = ports_.engine.inspect(plan.candidate); !there) {
    return {Event::failed, there.error().text()};
  }
  return activate(plan.candidate, plan.target, "promote:signal", stop);
}

Outcome BlueGreen::flip(Course& course, std::stop_token) {
  const Plan& plan = course.plan;
  if (bakes(plan)) {
    if (auto counted = answers_of(ports_, plan, plan.old_colour())) course.baseline = *counted;
  }
  std::optional<double> seconds;
  const Outcome flipped = flip_to(plan.candidate, "flip:map", &seconds);
  if (seconds) {
    course.seconds_of_flip = seconds;
    course.seconds_to_switched = seconds_since(ports_.clock, course.command_began);
  }
  return flipped;
}

Outcome BlueGreen::drain(Course& course, std::stop_token stop) {
  const Plan& plan = course.plan;
  if (plan.old) return drain_colour(course, plan.old_colour(), stop);
  // Nothing to drain; what serves is to be reached all the same.
  return await_flip(stop);
}

Outcome BlueGreen::bake(Course& course, std::stop_token stop) {
  const Plan& plan = course.plan;
  if (!bakes(plan)) {
    // What died of becoming active, or of its first users, is found here.
    const bool lives = is_ready(ports_, plan.candidate, plan.target, patience_with_serving);
    if (lives || !plan.old || plan.rollback) return {Event::done, "not asked for"};
    return {Event::unproven, "it does not answer any more since it serves"};
  }
  const service::BakeRules rules = service_of(ports_, plan.target).bake;
  // The counters of the old colour are final now; the new one's begin where the flip left them.
  const auto final_count = answers_of(ports_, plan, plan.old_colour());
  if (!final_count && !course.baseline) return bake_without_baseline(course, final_count.error());
  const auto begin = answers_of(ports_, plan, plan.candidate);
  if (!begin) return {Event::unproven, begin.error().text()};
  const Totals baseline =
      baseline_of(rules, final_count ? *final_count : *course.baseline,
                  has_own_counters(ports_, plan) ? std::optional<Totals>() : course.counted_before);
  const auto began = ports_.clock.now();
  for (;;) {
    ports_.clock.sleep_for(rules.window, stop);
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    const Look look = look_at_candidate(ports_, course);
    if (!look.running || look.restart_count > 0) {
      return {Event::unproven, "it ended while it baked"};
    }
    const auto now = answers_of(ports_, plan, plan.candidate);
    if (!now) return {Event::unproven, now.error().text()};
    const auto judgement = judge_bake(rules, baseline, now->since(*begin));
    if (judgement.verdict == BakeVerdict::good) return {Event::done, judgement.reason};
    if (judgement.verdict == BakeVerdict::worse) return {Event::unproven, judgement.reason};
    if (ports_.clock.now() - began >= rules.longest) {
      return {Event::unproven, "inconclusive: " + judgement.reason};
    }
  }
}

// Nothing to compare with. Over a version that is dead any that answers is better.
Outcome BlueGreen::bake_without_baseline(const Course& course, const Error& why) {
  const Plan& plan = course.plan;
  const std::string what =
      "inconclusive: what the version before answered cannot be read: " + why.text();
  const auto old = ports_.engine.inspect(plan.old_colour());
  const bool old_lives =
      old && is_alive(ports_, plan.old_colour(), *old, *plan.old, patience_with_serving);
  if (old_lives || !is_ready(ports_, plan.candidate, plan.target, patience_with_serving)) {
    return {Event::unproven, what};
  }
  return {Event::done, what + "; it is dead, and this one answers"};
}

Outcome BlueGreen::restore(Course& course, std::stop_token stop) {
  const Colour old_colour = course.plan.old_colour();
  const Release& old = *course.plan.old;
  auto there = ports_.engine.inspect(old_colour);
  if (!there) return {Event::failed, there.error().text()};
  if (there->exists && !there->running) {
    // It stopped after the flip: bring back what served before.
    auto started = start_colour(course, "restore:start", old_colour, old, stop);
    if (started.event != Event::done) return started;
  }
  return activate(old_colour, old, "restore:signal", stop);
}

Outcome BlueGreen::flip_back(Course& course, std::stop_token) {
  return flip_to(course.plan.old_colour(), "flip_back:map");
}

Result<void> BlueGreen::place(Colour colour, const Release& release, const std::string& transaction,
                              std::stop_token stop) {
  return ports_.engine.start(colour, release, transaction, std::move(stop));
}

bool BlueGreen::can_serve(Colour colour, const Instance& instance, const Release& release) {
  return is_alive(ports_, colour, instance, release, patience_of_recovery);
}

Result<std::vector<std::string>> BlueGreen::bring_back(const Survey& found, const Ledger& ledger,
                                                       std::stop_token stop) {
  return revive(ports_, *this, found, ledger, std::move(stop));
}

}  // namespace slipway::deploy
