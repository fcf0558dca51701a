// The steps of an operation: each does one thing to the outside world and says how it came out.
#include "base/units.hpp"
#include "deploy/model/foreign_text.hpp"
#include "deploy/run/operation.hpp"
#include "deploy/run/preflight.hpp"
#include "deploy/state/secrets.hpp"

#include <csignal>

#include <fmt/core.h>

namespace slipway::deploy {

using std::chrono::steady_clock;

Operation::Outcome Operation::changing(const std::string& point,
                                       const std::function<Result<void>()>& effect) {
  world_.failpoint(point + ":before");
  auto done = effect();
  world_.failpoint(point + ":after");
  if (!done) return {Event::failed, done.error().text()};
  return {};
}

Operation::Outcome Operation::hold() {
  if (snapshot_ != nullptr && snapshot_->hash == plan_.target.snapshot) {
    auto written =
        changing("hold:snapshot", [&] { return write_snapshot(world_.config, *snapshot_); });
    if (written.event != Event::done) return written;
  }
  return changing("hold:image", [&] { return world_.engine.hold(plan_.target); });
}

Operation::Outcome Operation::start_proxy(std::stop_token stop) {
  // With `recreate` the old container has the ports, and gives them up.
  if (world_.proxy.running() && (!plan_.recreate || plan_.old)) return {};
  for (const std::uint16_t port : world_.ports_to_check) {
    if (auto free = check_port_free(port); !free) return {Event::failed, free.error().text()};
  }
  if (plan_.recreate) return {};
  auto started = changing("proxy:start", [&] { return world_.engine.start_proxy(stop); });
  if (started.event != Event::done) return started;
  // What was flipped while it was down was written to the file only, and it reads that.
  return await_proxy(stop);
}

Operation::Outcome Operation::await_proxy(std::stop_token stop) {
  const auto give_up = world_.clock.now() + world_.config.step_deadline;
  while (!world_.proxy.running()) {
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    if (world_.clock.now() > give_up) {
      return {Event::failed,
              "HAProxy was started and does not answer on its runtime socket; see the log of the "
              "haproxy container (is a port taken?)"};
    }
    world_.clock.sleep_for(std::chrono::milliseconds(20), stop);
  }
  return {};
}

Operation::Outcome Operation::start(std::stop_token stop) {
  candidate_began_ = world_.clock.now();
  auto there = world_.engine.inspect(plan_.candidate);
  if (!there) return {Event::failed, there.error().text()};
  const bool is_target = there->running && there->digest == plan_.target.digest &&
                         there->snapshot == plan_.target.snapshot;
  if (is_target && (plan_.warm || there->transaction == transaction_)) return {};
  plan_.warm = false;
  return start_colour("start:colour", plan_.candidate, plan_.target, stop);
}

// Where the engine restarts midway, or only its reply is lost, what is there decides: a container
// of this transaction is adopted, and nothing is started once more.
Operation::Outcome Operation::start_colour(const std::string& point, Colour colour,
                                           const Release& release, std::stop_token stop) {
  const auto start = [&] { return world_.engine.start(colour, release, transaction_, stop); };
  auto started = changing(point, start);
  if (started.event == Event::done || stop.stop_requested()) return started;
  const auto there = world_.engine.inspect(colour);
  if (there && (there->running || (plan_.recreate && there->exists)) &&
      there->transaction == transaction_ && there->digest == release.digest &&
      there->snapshot == release.snapshot) {
    return {Event::done, "adopted after an error: " + started.detail};
  }
  return changing(point + "_again", start);
}

// A container that the engine restarts shows its exit status only while it is down.
Result<Instance> Operation::inspect_candidate() {
  auto there = world_.engine.inspect(plan_.candidate);
  const auto give_up = world_.clock.now() + std::chrono::seconds(1);
  while (there && there->running && there->restart_count > 0 && !plan_.warm &&
         world_.clock.now() < give_up) {
    world_.clock.sleep_for(std::chrono::milliseconds(20), {});
    auto again = world_.engine.inspect(plan_.candidate);
    if (!again) break;
    there = std::move(again);
  }
  return there;
}

Look Operation::look_at_candidate() {
  Look look;
  auto there = inspect_candidate();
  if (!there) {
    look.answer = there.error();
    return look;
  }
  look.running = there->running;
  look.restart_count = plan_.warm ? 0 : there->restart_count;
  look.exit_code = there->exit_code;
  if (look.running && look.restart_count == 0) {
    look.answer = world_.health.ask(plan_.candidate, world_.config.gate.timeout);
  }
  return look;
}

Operation::Outcome Operation::prove(std::stop_token stop) {
  if (plan_.warm) return prove_warm(stop);
  const auto began = candidate_began_.value_or(world_.clock.now());
  HealthGate gate(world_.config.gate, plan_.target.revision, world_.clock.now());
  for (;;) {
    const Look look = look_at_candidate();
    const auto state = gate.feed(world_.clock.now(), look);
    if (gate.in_a_row() > 0) note_service();
    if (state == HealthGate::State::healthy) break;
    if (state == HealthGate::State::hopeless) {
      std::string detail = gate.reason();
      if (!look.running || look.restart_count > 0) {
        if (auto tail = world_.engine.log_tail(plan_.candidate); tail && !tail->empty()) {
          detail += "; its last words: " + without_secrets(*tail, 2000);
        }
      }
      return {Event::unproven, detail};
    }
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    world_.clock.sleep_for(world_.config.gate.interval, stop);
  }
  report_.seconds_to_healthy = since_s(began);
  Outcome packet = real_packet();
  if (packet.event == Event::done) {
    packet.detail = fmt::format("healthy {} times in a row, releaseId {}{}", gate.in_a_row(),
                                plan_.target.revision, packet.detail);
  }
  return packet;
}

// A warm colour was proven before and served since; it must still be there and be what it was.
Operation::Outcome Operation::prove_warm(std::stop_token stop) {
  const auto began = candidate_began_.value_or(world_.clock.now());
  const Look look = look_at_candidate();
  const auto wrong = objection(look.answer, plan_.target.revision);
  if (look.running && !wrong) {
    report_.seconds_to_healthy = since_s(began);
    return {Event::done, "warm"};
  }
  plan_.warm = false;
  // Just started, or hanging: it has the time of a cold one.
  if (look.running) return prove(stop);
  // It died while it waited: start it anew.
  auto started = start_colour("prove:restart", plan_.candidate, plan_.target, stop);
  return started.event == Event::done ? prove(stop) : started;
}

std::string Operation::without_secrets(const std::string& said, std::size_t most) const {
  const auto directory = snapshot_directory(world_.config, plan_.target.snapshot);
  return foreign_text(said, most, secrets_of(directory / "connector.env", directory / "config"));
}

Operation::Outcome Operation::real_packet() {
  if (world_.config.packet_command.empty()) return {};
  auto probe = world_.engine.execute(plan_.candidate, world_.config.packet_command,
                                     world_.config.gate.timeout * 5);
  if (!probe) return {Event::unproven, "a real packet: " + probe.error().text()};
  if (probe->exit_status != 0) {
    const std::string said = without_secrets(probe->err.empty() ? probe->out : probe->err, 400);
    return {Event::unproven,
            fmt::format("a real packet through it was not fulfilled: {}, exit {}{}{}",
                        world_.config.packet_command.front(), probe->exit_status,
                        said.empty() ? "" : ": ", said)};
  }
  return {Event::done, ", a real packet fulfilled"};
}

std::optional<std::string> Operation::wait_for_role(Colour colour, const Release& release,
                                                    const std::string& role, bool ready,
                                                    std::chrono::nanoseconds deadline,
                                                    std::stop_token stop) {
  const auto give_up = world_.clock.now() + deadline;
  const auto before = world_.engine.inspect(colour);
  const int restarts_before = before ? before->restart_count : 0;
  std::string last = "it was not asked";
  for (;;) {
    const auto answer = world_.health.ask(colour, world_.config.gate.timeout);
    if (const auto wrong = objection(answer, release.revision)) {
      last = *wrong;
    } else if (answer->role != role) {
      last = fmt::format("its role is {} and not {}", foreign_text(answer->role, 80), role);
    } else if (ready && !answer->ready) {
      last = "/health/ready does not answer 200";
    } else {
      return std::nullopt;
    }
    if (auto there = world_.engine.inspect(colour);
        there && (!there->running || there->restart_count > restarts_before)) {
      return fmt::format("{} ended with status {}", to_string(colour), there->exit_code);
    }
    if (world_.clock.now() >= give_up) {
      return fmt::format("{} within {}: {}", to_string(colour), format_duration(deadline), last);
    }
    if (stop.stop_requested()) return "a stop was requested";
    world_.clock.sleep_for(std::chrono::milliseconds(20), stop);
  }
}

Operation::Outcome Operation::promote(Colour colour, const Release& release, std::stop_token stop) {
  auto there = world_.engine.inspect(colour);
  if (!there) return {Event::failed, there.error().text()};
  if (there->exists && !there->running && colour != plan_.candidate) {
    // The old colour stopped after the flip: bring back what served before.
    auto started = start_colour("restore:start", colour, release, stop);
    if (started.event != Event::done) return started;
  }
  auto sent = changing(colour == plan_.candidate ? "promote:signal" : "restore:signal",
                       [&] { return world_.engine.send_signal(colour, SIGUSR2); });
  if (sent.event != Event::done) return {Event::unproven, sent.detail};
  if (auto wrong =
          wait_for_role(colour, release, "active", true, world_.config.step_deadline, stop)) {
    return {Event::unproven, "it does not become active: " + *wrong};
  }
  return {};
}

Operation::Outcome Operation::flip(Colour colour) {
  if (colour == plan_.candidate && plan_.old && world_.config.bake.window.count() > 0) {
    if (auto text = world_.health.metrics(plan_.old_colour(), world_.config.gate.timeout)) {
      baseline_begin_ = *text;
    }
  }
  const auto began = world_.clock.now();
  if (plan_.recreate && plan_.old && !service_ended_) service_ended_ = began;
  const std::string point = colour == plan_.candidate ? "flip:map" : "flip_back:map";
  world_.failpoint(point + ":before");
  auto flipped = world_.proxy.flip(colour);
  world_.failpoint(point + ":after");
  const double seconds = since_s(began);
  if (flipped) {
    if (colour == plan_.candidate && !plan_.recreate) {
      report_.seconds_of_flip = seconds;
      report_.seconds_to_switched = since_s(command_began_);
    }
    return {Event::done, fmt::format("{} in {:.1f} ms", to_string(colour), seconds * 1e3)};
  }
  const auto actual = world_.proxy.active();
  if (actual && *actual == colour) {
    // Where HAProxy went away in the middle it comes back with what the file says. Only then may
    // the other colour be drained.
    if (!world_.proxy.running()) (void)world_.engine.start_proxy({});
    if (await_proxy({}).event != Event::done) return {Event::uncertain, flipped.error().text()};
    return {Event::done, "read back after an error: " + flipped.error().text()};
  }
  if (actual && world_.proxy.running()) return {Event::failed, flipped.error().text()};
  return {Event::uncertain, flipped.error().text()};
}

Operation::Outcome Operation::drain(Colour colour, std::stop_token stop) {
  const Release& release = colour == plan_.candidate ? plan_.target : *plan_.old;
  auto there = world_.engine.inspect(colour);
  if (there && !there->running) return {Event::done, "it does not run; nothing to drain"};
  auto sent = changing("drain:signal", [&] { return world_.engine.send_signal(colour, SIGUSR1); });
  if (sent.event != Event::done) return sent;
  if (auto wrong =
          wait_for_role(colour, release, "drained", false, world_.config.drain_deadline, stop)) {
    return {Event::failed, "the old colour is not drained: " + *wrong};
  }
  return {Event::done, fmt::format("{} answered what it had accepted", to_string(colour))};
}

Operation::Outcome Operation::bake(std::stop_token stop) {
  const BakeRules& rules = world_.config.bake;
  if (rules.window.count() == 0 || plan_.rollback || !plan_.old || !baseline_begin_) {
    return {Event::done, "not asked for"};
  }
  // The counters of the old colour are final now; the new one's begin where the flip left them.
  const auto ask = [&](Colour colour) {
    return world_.health.metrics(colour, world_.config.gate.timeout);
  };
  auto old_text = ask(plan_.old_colour());
  auto begin_text = ask(plan_.candidate);
  if (!begin_text) return {Event::unproven, begin_text.error().text()};
  const Totals baseline = parse_totals(old_text ? *old_text : *baseline_begin_);
  const Totals begin = parse_totals(*begin_text);
  const auto began = world_.clock.now();
  for (;;) {
    world_.clock.sleep_for(rules.window, stop);
    if (stop.stop_requested()) return {Event::interrupted, "a stop was requested"};
    const Look look = look_at_candidate();
    if (!look.running || look.restart_count > 0) {
      return {Event::unproven, "it ended while it baked"};
    }
    auto now_text = ask(plan_.candidate);
    if (!now_text) return {Event::unproven, now_text.error().text()};
    const auto judgement = judge_bake(rules, baseline, parse_totals(*now_text).since(begin));
    if (judgement.verdict == BakeVerdict::good) return {Event::done, judgement.reason};
    if (judgement.verdict == BakeVerdict::worse) return {Event::unproven, judgement.reason};
    if (world_.clock.now() - began >= rules.longest) {
      return {Event::unproven, "inconclusive: " + judgement.reason};
    }
  }
}

Operation::Outcome Operation::settle() {
  return changing("settle:agree", [&] { return world_.proxy.agree(); });
}

Operation::Outcome Operation::abandon() {
  (void)world_.proxy.agree();
  if (plan_.warm) return drain(plan_.candidate, {});
  return changing("abandon:remove", [&] { return world_.engine.remove(plan_.candidate); });
}

Operation::Outcome Operation::retire() {
  const Outcome drained = drain(plan_.candidate, {});
  auto removed = changing("retire:remove", [&] { return world_.engine.remove(plan_.candidate); });
  if (removed.event == Event::done) removed.detail = drained.detail;
  return removed;
}

Operation::Outcome Operation::rewarm() {
  if (!plan_.displaced || plan_.warm) return {Event::done, "nothing was displaced"};
  auto there = world_.engine.inspect(plan_.candidate);
  if (there && there->running && there->digest == plan_.displaced->digest) return {};
  return start_colour("rewarm:start", plan_.candidate, *plan_.displaced, {});
}

}  // namespace slipway::deploy
