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

Operation::Operation(Ports& ports, Journal& journal, Course course)
    : ports_(ports),
      journal_(journal),
      course_(std::move(course)),
      strategy_(make_strategy(course_.plan.strategy, ports)) {}

Result<void> Operation::record(std::string_view point, Entry entry) {
  ports_.failpoint(fmt::format("{}:before", point));
  auto written =
      journal_.append(course_.transaction, format_utc(ports_.clock.utc()), std::move(entry));
  ports_.failpoint(fmt::format("{}:after", point));
  return written;
}

Report Operation::run(std::stop_token stop) {
  report_.operation = course_.plan.rollback ? "rollback" : "deploy";
  auto begun = record("begin", Begun{course_.plan});
  if (!begun) return refuse(begun.error(), Verdict::failed);
  return loop({Step::hold, Verdict::none}, std::move(stop));
}

Report Operation::resume(State from, std::stop_token stop) {
  report_.operation = "resume";
  auto noted =
      record(fmt::format("{}:resume", to_string(from.step)), Resumed{from.step, from.verdict});
  if (!noted) return refuse(noted.error(), Verdict::helpless);
  return loop(from, std::move(stop));
}

// Nothing is done that the journal cannot tell of.
Report Operation::refuse(const Error& error, Verdict verdict) {
  failure_ = {error.text(), error.text()};
  finish({Step::end, verdict});
  return report_;
}

Report Operation::loop(State state, std::stop_token stop) {
  report_.started = format_utc(ports_.clock.utc());
  while (state.step != Step::end) {
    const Outcome outcome = take(state, stop);
    const Event event = outcome.event;
    const State after = next(course_.plan.situation(), state, event);
    if (event != Event::done) note_failure(state, after, outcome);
    state = after;
  }
  finish(state);
  return report_;
}

// The step that turned the run back is its cause; one that was passed over is a warning.
void Operation::note_failure(const State& from, const State& to, const Outcome& outcome) {
  const std::string shown = for_caller(outcome);
  if (to.verdict == Verdict::none) {
    report_.warnings.push_back(fmt::format("{}: {}", to_string(from.step), shown));
  } else if (!failure_) {
    failure_ = {outcome.detail, shown};
  } else if (to.verdict != from.verdict) {
    failure_->kept += fmt::format("; then {}: {}", to_string(from.step), outcome.detail);
    failure_->shown += fmt::format("; then {}: {}", to_string(from.step), shown);
  }
}

Outcome Operation::take(const State& state, std::stop_token stop) {
  const auto began = ports_.clock.now();
  StepReport step{std::string(to_string(state.step)), "",
                  seconds_since(ports_.clock, course_.command_began), 0, ""};
  ports_.progress(state.step, nullptr);
  Outcome outcome;
  if (auto intent = record(step.name + ":intent", Intended{state.step, state.verdict}); intent) {
    outcome = perform_step(state, std::move(stop));
  } else {
    // A step that cannot be recorded is not taken.
    outcome = {Event::failed, intent.error().text()};
  }
  step.event = to_string(outcome.event);
  step.detail = for_caller(outcome);
  step.seconds = seconds_since(ports_.clock, began);
  // Failing to record that it was done is what recovery is for; the work goes on.
  (void)record(step.name + ":done",
               Performed{state.step, outcome.event, step.seconds, outcome.detail, outcome.said});
  report_.steps.push_back(step);
  ports_.progress(state.step, &step);
  return outcome;
}

std::string Operation::for_caller(const Outcome& outcome) const {
  if (outcome.said.empty()) return outcome.detail;
  if (ports_.shows_words) return outcome.detail + "; its last words: " + outcome.said;
  return fmt::format("{}; on the host 'rollback --show {}' has its last words", outcome.detail,
                     course_.transaction);
}

Outcome Operation::perform_step(const State& state, std::stop_token stop) {
  // A rollback is not interrupted: half a rollback helps nobody.
  const std::stop_token heard =
      course_.plan.rollback || !interruptible(state.step) ? std::stop_token{} : stop;
  if (heard.stop_requested()) return {Event::interrupted, "a stop was requested"};
  Outcome outcome = perform(*strategy_, state.step, course_, heard);
  if (outcome.event != Event::done && heard.stop_requested()) outcome.event = Event::interrupted;
  return outcome;
}

std::string Operation::next_step_for_people() const {
  switch (report_.exit_code) {
    case ExitCode::failed:
      if (!report_.serves.value_or(false)) break;
      return fmt::format("correct what the message names, then {}",
                         course_.plan.rollback ? "roll back again" : "deploy again");
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

void Operation::look_at_service(const State& state) {
  const Plan& plan = course_.plan;
  const auto active = ports_.traffic.active();
  if (active && *active) {
    report_.running_colour = to_string(**active);
    if (**active == plan.candidate) report_.running = plan.target;
    if (**active != plan.candidate) report_.running = plan.old;
  }
  if (!active) return;
  const auto patience =
      state.verdict == Verdict::none ? patience_with_serving : std::chrono::seconds(1);
  report_.serves = report_.running && answers(ports_, **active, *report_.running, patience);
}

void Operation::finish(const State& state) {
  const Plan& plan = course_.plan;
  report_.transaction = course_.transaction;
  report_.actor = plan.actor;
  report_.reason = plan.reason;
  report_.from = plan.old;
  report_.to = plan.target;
  report_.warm = plan.warm;
  report_.seconds_to_healthy = course_.seconds_to_healthy;
  report_.seconds_of_flip = course_.seconds_of_flip;
  report_.seconds_to_switched = course_.seconds_to_switched;
  report_.seconds_without_service = course_.seconds_without_service;
  look_at_service(state);
  report_.exit_code = exit_code(plan.situation(), state.verdict,
                                !report_.serves   ? Serving::unseen
                                : *report_.serves ? Serving::yes
                                                  : Serving::no);
  report_.seconds = seconds_since(ports_.clock, course_.command_began);
  report_.next_step = next_step_for_people();
  const std::string target = plan.target.describe();
  const Failure why = failure_.value_or(Failure{"it was given up", "it was given up"});
  report_.message = state.verdict == Verdict::none
                        ? fmt::format("{} {}", target,
                                      report_.exit_code == ExitCode::done
                                          ? "serves"
                                          : "was given the traffic and does not answer")
                        : fmt::format("{}: {}", target, why.shown);
  auto ended = record(
      "end:end", Ended{static_cast<int>(report_.exit_code), state.verdict,
                       report_.running ? report_.running->digest : "",
                       state.verdict == Verdict::none ? report_.message
                                                      : fmt::format("{}: {}", target, why.kept)});
  if (!ended) report_.warnings.push_back(ended.error().text());
}

}  // namespace slipway::deploy
