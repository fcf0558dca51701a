#include "deploy/run/candidate_proof.hpp"

#include "base/foreign_text.hpp"
#include "base/units.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace slipway::deploy {
namespace {

// An instance that is restarted shows its exit status only while it is down.
Result<Instance> inspect_candidate(Ports& ports, const Course& course) {
  const Plan& plan = course.plan;
  auto there = ports.engine.inspect(plan.candidate);
  const auto give_up = ports.clock.now() + std::chrono::seconds(1);
  while (there && there->running && there->restart_count > course.restarts_before &&
         ports.clock.now() < give_up) {
    ports.clock.sleep_for(std::chrono::milliseconds(20), {});
    auto again = ports.engine.inspect(plan.candidate);
    if (!again) break;
    there = std::move(again);
  }
  return there;
}

std::string words_of_candidate(Ports& ports, const Plan& plan, const std::string& said,
                               std::size_t most) {
  return foreign_text(said, most, ports.store.secrets(plan.target.snapshot));
}

Outcome real_request(Ports& ports, const Plan& plan, const service::Service& service) {
  const auto& command = service.probe;
  if (command.empty()) return {};
  auto probe = ports.engine.execute(plan.candidate, command, service.proof.timeout * 5);
  if (!probe && probe.error().kind == ErrorKind::timeout) {
    return {Event::unproven,
            fmt::format("a real request through it was not served: {} did not end "
                        "within {}",
                        fmt::join(command, " "), format_duration(service.proof.timeout * 5))};
  }
  if (!probe) return {Event::unproven, "a real request: " + probe.error().text()};
  if (probe->exit_status == 0) return {Event::done, ", a real request served"};
  const std::string said =
      words_of_candidate(ports, plan, probe->err.empty() ? probe->out : probe->err, 400);
  return {Event::unproven,
          fmt::format("a real request through it was not served: {}, exit {}", command.front(),
                      probe->exit_status),
          said};
}

// Why it is hopeless, and what it answered and wrote last, which goes with it.
Outcome hopeless(Ports& ports, const Plan& plan, const HealthGate& gate) {
  Outcome outcome{Event::unproven, without_secrets(ports, plan.target, gate.reason())};
  outcome.said = foreign_line(gate.said(), 200, ports.store.secrets(plan.target.snapshot));
  if (const auto tail = ports.engine.log_tail(plan.candidate)) {
    if (!outcome.said.empty()) outcome.said += '\n';
    outcome.said += words_of_candidate(ports, plan, *tail, 2000);
  }
  return outcome;
}

}  // namespace

Look look_at_candidate(Ports& ports, const Course& course) {
  const Plan& plan = course.plan;
  Look look;
  auto there = inspect_candidate(ports, course);
  if (!there) {
    look.answer = there.error();
    return look;
  }
  look.running = there->running;
  look.ready = there->ready;
  look.desired = there->desired;
  look.reason = there->reason;
  look.restart_count = std::max(0, there->restart_count - course.restarts_before);
  look.exit_code = there->exit_code;
  const service::Service service = service_of(ports, plan.target);
  if (look.running && look.restart_count == 0) {
    look.wrong_image = wrong_image(*there, plan.target, service).value_or("");
    look.answer = ports.health.ask(plan.candidate, service);
  }
  return look;
}

Outcome prove_candidate(Ports& ports, Course& course, std::stop_token stop,
                        const std::function<void()>& answered) {
  const Plan& plan = course.plan;
  const auto began = course.candidate_began.value_or(ports.clock.now());
  const service::Service service = service_of(ports, plan.target);
  service::HealthRules rules = service.proof;
  rules.deadline = std::min(rules.deadline, ports.longest_proof);
  HealthGate gate(rules, expectation(plan.target.revision, service), ports.clock.now());
  for (;;) {
    const Look look = look_at_candidate(ports, course);
    const auto state = gate.feed(ports.clock.now(), look);
    if (gate.in_a_row() > 0) answered();
    if (state == HealthGate::State::healthy) break;
    if (state == HealthGate::State::hopeless) {
      return hopeless(ports, plan, gate);
    }
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    ports.clock.sleep_for(rules.interval, stop);
  }
  course.seconds_to_healthy = seconds_since(ports.clock, began);
  Outcome request = real_request(ports, plan, service);
  if (request.event == Event::done) {
    request.detail = fmt::format("healthy {} times in a row, {}{}", gate.in_a_row(),
                                 service.version_is_digest
                                     ? "the engine runs the digest's image " + plan.target.image_id
                                     : "releaseId " + plan.target.revision,
                                 request.detail);
  }
  return request;
}

}  // namespace slipway::deploy
