#pragma once

#include "deploy/run/strategy.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace slipway::deploy {

// The loop of one operation: intent into the journal, the step, done into the journal, next state.
// What comes next is decided by next() (model/transition.hpp), what a step does by the Strategy.
class Operation {
 public:
  Operation(Ports& ports, Journal& journal, Course course);

  // From the beginning.
  Report run(std::stop_token stop);
  // From where recovery says.
  Report resume(State from, std::stop_token stop);

 private:
  Report loop(State state, std::stop_token stop);
  Outcome take(const State& state, std::stop_token stop);
  void note_failure(const State& from, const State& to, const Outcome& outcome);
  Outcome perform_step(const State& state, std::stop_token stop);
  std::string for_caller(const Outcome& outcome) const;
  Result<void> record(std::string_view point, Entry entry);
  Report refuse(const Error& error, Verdict verdict);
  void finish(const State& state);
  void look_at_service(const State& state);
  std::string next_step_for_people() const;

  Ports& ports_;
  Journal& journal_;
  Course course_;
  std::unique_ptr<Strategy> strategy_;
  Report report_;
  // The first thing that went wrong.
  struct Failure {
    std::string kept;   // for the journal, without what an instance said
    std::string shown;  // for the report
  };
  std::optional<Failure> failure_;
};

}  // namespace slipway::deploy
