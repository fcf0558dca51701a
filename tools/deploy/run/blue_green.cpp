#include "deploy/run/blue_green.hpp"

#include "deploy/model/bake.hpp"
#include "deploy/run/candidate_proof.hpp"
#include "deploy/run/revival.hpp"
#include "deploy/run/role_change.hpp"

namespace slipway::deploy {

Outcome BlueGreen::proxy(Course&, std::stop_token stop) {
  if (ports_.traffic.running()) return {};
  if (auto free = ports_.traffic.check_entrance(); !free) {
    return {Event::failed, free.error().text()};
  }
  auto started = changing("proxy:start", [&] { return ports_.traffic.bring_up(stop); });
  if (started.event != Event::done) return started;
  // What was flipped while it was down was only written down, and it reads that.
  return await_switch(stop);
}

Outcome BlueGreen::prove(Course& course, std::stop_token stop) {
  const auto prove_cold = [&] { return prove_candidate(ports_, course, stop, [] {}); };
  Plan& plan = course.plan;
  if (!plan.warm) return prove_cold();
  // A warm colour was proven before and served since; it must still be there and be what it was.
  const auto began = course.candidate_began.value_or(ports_.clock.now());
  const Look look = look_at_candidate(ports_, course);
  if (look.running && !objection(look.answer, plan.target.revision)) {
    course.seconds_to_healthy = seconds_since(ports_.clock, began);
    return {Event::done, "warm"};
  }
  plan.warm = false;
  // Just started, or hanging: it has the time of a cold one.
  if (look.running) return prove_cold();
  // It died while it waited: start it anew.
  auto started = start_colour(course, "prove:restart", plan.candidate, plan.target, stop);
  return started.event == Event::done ? prove_cold() : started;
}

Outcome BlueGreen::activate(Colour colour, const Release& release, const std::string& point,
                            std::stop_token stop) {
  auto sent = changing(point, [&] { return ports_.engine.set_role(colour, Role::active); });
  if (sent.event != Event::done) return {Event::unproven, sent.detail};
  if (auto wrong =
          wait_for_role(ports_, colour, release, Role::active, ports_.config.step_deadline, stop)) {
    return {Event::unproven, "it does not become active: " + *wrong};
  }
  return {};
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
  if (plan.old && ports_.config.bake.window.count() > 0) {
    if (auto text = ports_.health.metrics(plan.old_colour(), ports_.config.gate.timeout)) {
      course.baseline = *text;
    }
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
  return plan.old ? drain_colour(course, plan.old_colour(), stop) : Outcome{};
}

Outcome BlueGreen::bake(Course& course, std::stop_token stop) {
  const Plan& plan = course.plan;
  const BakeRules& rules = ports_.config.bake;
  if (rules.window.count() == 0 || plan.rollback || !plan.old || !course.baseline) {
    return {Event::done, "not asked for"};
  }
  // The counters of the old colour are final now; the new one's begin where the flip left them.
  const auto ask = [&](Colour colour) {
    return ports_.health.metrics(colour, ports_.config.gate.timeout);
  };
  auto old_text = ask(plan.old_colour());
  auto begin_text = ask(plan.candidate);
  if (!begin_text) return {Event::unproven, begin_text.error().text()};
  const Totals baseline = parse_totals(old_text ? *old_text : *course.baseline);
  const Totals begin = parse_totals(*begin_text);
  const auto began = ports_.clock.now();
  for (;;) {
    ports_.clock.sleep_for(rules.window, stop);
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    const Look look = look_at_candidate(ports_, course);
    if (!look.running || look.restart_count > 0) {
      return {Event::unproven, "it ended while it baked"};
    }
    auto now_text = ask(plan.candidate);
    if (!now_text) return {Event::unproven, now_text.error().text()};
    const auto judgement = judge_bake(rules, baseline, parse_totals(*now_text).since(begin));
    if (judgement.verdict == BakeVerdict::good) return {Event::done, judgement.reason};
    if (judgement.verdict == BakeVerdict::worse) return {Event::unproven, judgement.reason};
    if (ports_.clock.now() - began >= rules.longest) {
      return {Event::unproven, "inconclusive: " + judgement.reason};
    }
  }
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
