#pragma once

// The loop that performs what the transitions decide: intent into the journal, the step, done into
// the journal, next state. It decides nothing itself.

#include "deploy/model/health.hpp"
#include "deploy/model/plan.hpp"
#include "deploy/model/report.hpp"
#include "deploy/model/transition.hpp"
#include "deploy/ports/clock.hpp"
#include "deploy/ports/engine.hpp"
#include "deploy/ports/proxy.hpp"
#include "deploy/state/config.hpp"
#include "deploy/state/journal.hpp"
#include "deploy/state/snapshot.hpp"

#include <functional>
#include <optional>
#include <stop_token>

namespace slipway::deploy {

// The outside world, behind interfaces.
struct World {
  const Config& config;
  Engine& engine;
  Proxy& proxy;
  HealthSource& health;
  Clock& clock;
  std::vector<std::uint16_t> ports_to_check;  // before HAProxy is started
  // Called before and after every journal write and every call that changes something, with the
  // name of the point: where tests end the process.
  std::function<void(const std::string&)> failpoint = [](const std::string&) {};
  // Called when a step begins and when it has ended.
  std::function<void(Step, const StepReport*)> progress = [](Step, const StepReport*) {};
};

class Operation {
 public:
  Operation(World& world, Journal& journal, Plan plan, std::string transaction,
            std::chrono::steady_clock::time_point command_began)
      : world_(world),
        journal_(journal),
        plan_(std::move(plan)),
        transaction_(std::move(transaction)),
        command_began_(command_began) {}

  // From the beginning. `snapshot` is written in the step hold.
  Report run(const Snapshot& snapshot, std::stop_token stop);
  // From where recovery says.
  Report resume(State from, std::stop_token stop);

 private:
  struct Outcome {
    Event event = Event::done;
    std::string detail;
  };

  Report loop(State state, std::stop_token stop);
  Result<void> record(const std::string& type, Step step, nlohmann::json data);
  void finish(const State& state);
  Outcome perform(const State& state, std::stop_token stop);

  Outcome hold();
  Outcome start_proxy(std::stop_token stop);
  Outcome await_proxy(std::stop_token stop);
  Outcome start(std::stop_token stop);
  Outcome start_colour(const std::string& point, Colour colour, const Release& release,
                       std::stop_token stop);
  Outcome prove(std::stop_token stop);
  Outcome prove_warm(std::stop_token stop);
  Outcome real_packet();
  Outcome prove_in_place(std::stop_token stop);
  Outcome start_old_again();
  void note_service();
  Outcome promote(Colour colour, const Release& release, std::stop_token stop);
  Outcome flip(Colour colour);
  Outcome drain(Colour colour, std::stop_token stop);
  Outcome bake(std::stop_token stop);
  Outcome settle();
  Outcome abandon();
  Outcome retire();
  Outcome rewarm();

  Outcome changing(const std::string& point, const std::function<Result<void>()>& effect);
  Result<Instance> inspect_candidate();
  Look look_at_candidate();
  // What the candidate said, fit to be shown and kept.
  std::string without_secrets(const std::string& said, std::size_t most) const;
  std::optional<std::string> wait_for_role(Colour colour, const Release& release,
                                           const std::string& role, bool ready,
                                           std::chrono::nanoseconds deadline, std::stop_token stop);
  double since_s(std::chrono::steady_clock::time_point begin) const;
  std::string next_step_for_people(const State& state) const;

  World& world_;
  Journal& journal_;
  Plan plan_;
  std::string transaction_;
  std::chrono::steady_clock::time_point command_began_;
  const Snapshot* snapshot_ = nullptr;
  Report report_;
  std::optional<std::chrono::steady_clock::time_point> candidate_began_;
  std::optional<std::string> baseline_begin_;
  std::optional<std::chrono::steady_clock::time_point> service_ended_;  // strategy recreate
  std::optional<std::string> failure_;  // the first thing that went wrong, for the report
};

}  // namespace slipway::deploy
