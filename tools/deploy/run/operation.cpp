#include "deploy/run/operation.hpp"

#include "base/units.hpp"
#include "deploy/run/survey.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

bool interruptible(Step step) {
  switch (step) {
    case Step::hold:
    case Step::proxy:
    case Step::start:
    case Step::prove:
    case Step::promote:
    case Step::drain:
    case Step::bake:
      return true;
    default:
      return false;
  }
}

}  // namespace

double Operation::since_s(std::chrono::steady_clock::time_point begin) const {
  return std::chrono::duration<double>(world_.clock.now() - begin).count();
}

Result<void> Operation::record(const std::string& type, Step step, nlohmann::json data) {
  data["step"] = to_string(step);
  world_.failpoint(fmt::format("{}:{}:before", to_string(step), type));
  auto written =
      journal_.append(type, transaction_, format_utc(world_.clock.utc()), std::move(data));
  world_.failpoint(fmt::format("{}:{}:after", to_string(step), type));
  return written;
}

Report Operation::run(const Snapshot& snapshot, std::stop_token stop) {
  snapshot_ = &snapshot;
  report_.operation = plan_.rollback ? "rollback" : "deploy";
  world_.failpoint("begin:before");
  auto begun =
      journal_.append("begin", transaction_, format_utc(world_.clock.utc()), to_json(plan_));
  world_.failpoint("begin:after");
  if (!begun) {
    failure_ = begun.error().text();
    finish({Step::end, Verdict::failed});
    return report_;
  }
  return loop({Step::hold, Verdict::none}, std::move(stop));
}

Report Operation::resume(State from, std::stop_token stop) {
  report_.operation = "resume";
  auto noted = record("resume", from.step, {{"verdict", to_string(from.verdict)}});
  if (!noted) {
    failure_ = noted.error().text();
    finish({Step::end, Verdict::helpless});
    return report_;
  }
  return loop(from, std::move(stop));
}

Report Operation::loop(State state, std::stop_token stop) {
  report_.started = format_utc(world_.clock.utc());
  while (state.step != Step::end) {
    const auto began = world_.clock.now();
    StepReport step{std::string(to_string(state.step)), "", since_s(command_began_), 0, ""};
    world_.progress(state.step, nullptr);
    Outcome outcome;
    if (auto intent = record("intent", state.step, {{"verdict", to_string(state.verdict)}});
        intent) {
      outcome = perform(state, stop);
    } else {
      // A step that cannot be recorded is not taken.
      outcome = {Event::failed, intent.error().text()};
    }
    step.event = to_string(outcome.event);
    step.detail = outcome.detail;
    step.seconds = since_s(began);
    // Failing to record that it was done is what recovery is for; the work goes on.
    (void)record("done", state.step,
                 {{"event", step.event}, {"seconds", step.seconds}, {"detail", outcome.detail}});
    if (outcome.event != Event::done && !failure_) failure_ = outcome.detail;
    report_.steps.push_back(step);
    world_.progress(state.step, &step);
    state = next(plan_.situation(), state, outcome.event);
  }
  finish(state);
  return report_;
}

Operation::Outcome Operation::perform(const State& state, std::stop_token stop) {
  // A rollback is not interrupted: half a rollback helps nobody.
  std::stop_token heard = plan_.rollback || !interruptible(state.step) ? std::stop_token{} : stop;
  if (heard.stop_requested()) return {Event::interrupted, "a stop was requested"};
  Outcome outcome = [&]() -> Outcome {
    switch (state.step) {
      case Step::hold:
        return hold();
      case Step::proxy:
        return start_proxy(heard);
      case Step::start:
        return start(heard);
      case Step::prove:
        if (plan_.recreate) return {Event::done, "when it has taken over"};
        return prove(heard);
      case Step::promote:
        if (plan_.recreate) return {Event::done, "it starts as active"};
        return promote(plan_.candidate, plan_.target, heard);
      case Step::flip:
        return flip(plan_.candidate);
      case Step::drain:
        if (plan_.recreate) return {Event::done, "it was stopped"};
        return plan_.old ? drain(plan_.old_colour(), heard) : Outcome{};
      case Step::bake:
        return plan_.recreate ? prove_in_place(heard) : bake(heard);
      case Step::settle:
        return settle();
      case Step::abandon:
        return abandon();
      case Step::restore:
        if (plan_.recreate) return {Event::done, "flip_back starts it"};
        return promote(plan_.old_colour(), *plan_.old, {});
      case Step::flip_back:
        return plan_.recreate ? start_old_again() : flip(plan_.old_colour());
      case Step::retire:
        return retire();
      case Step::rewarm:
        return rewarm();
      case Step::end:
        break;
    }
    return {};
  }();
  if (outcome.event != Event::done && heard.stop_requested()) outcome.event = Event::interrupted;
  return outcome;
}

std::string Operation::next_step_for_people(const State& state) const {
  switch (exit_code(plan_.situation(), state.verdict)) {
    case ExitCode::failed:
      if (!report_.serves.value_or(false)) break;
      return fmt::format("correct what the message names, then {}",
                         plan_.rollback ? "roll back again" : "deploy again");
    case ExitCode::rolled_back:
      return "correct what the message names, then deploy again";
    case ExitCode::needs_human:
      return "run 'rollback --status', then follow 'recover a broken host' in the operators' guide";
    case ExitCode::interrupted:
      return "nothing; deploy again when ready";
    default:
      return "";
  }
  return "run 'rollback --status'; it says what lives, once the engine answers";
}

void Operation::finish(const State& state) {
  report_.transaction = transaction_;
  report_.actor = plan_.actor;
  report_.reason = plan_.reason;
  report_.from = plan_.old;
  report_.to = plan_.target;
  report_.warm = plan_.warm;
  report_.exit_code = exit_code(plan_.situation(), state.verdict);
  report_.seconds = since_s(command_began_);

  const auto active = world_.proxy.active();
  if (active && *active) {
    report_.running_colour = to_string(**active);
    if (**active == plan_.candidate) report_.running = plan_.target;
    if (**active != plan_.candidate) report_.running = plan_.old;
  }
  if (state.verdict == Verdict::none) {
    report_.serves = true;
  } else if (active) {
    report_.serves = report_.running && answers(world_, **active, *report_.running);
  }
  report_.next_step = next_step_for_people(state);
  const std::string target = plan_.target.describe();
  if (state.verdict == Verdict::none) {
    report_.message = fmt::format("{} serves", target);
  } else {
    report_.message = fmt::format("{}: {}", target, failure_.value_or("it was given up"));
  }
  auto ended = record("end", Step::end,
                      {{"exitCode", static_cast<int>(report_.exit_code)},
                       {"verdict", to_string(state.verdict)},
                       {"running", report_.running ? report_.running->digest : ""},
                       {"message", report_.message}});
  if (!ended) report_.warnings.push_back(ended.error().text());
}

}  // namespace slipway::deploy
