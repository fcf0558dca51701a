#pragma once

// How one version takes the place of another: a method for each step that the transitions know.
// A strategy performs; what comes next is decided by next() alone.

#include "deploy/model/bake.hpp"
#include "deploy/model/ledger.hpp"
#include "deploy/run/ports.hpp"
#include "deploy/run/survey.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// How a step came out.
struct Outcome {
  Event event = Event::done;
  std::string detail;
  // What the instance itself said: kept on this host, and shown to whoever may read its secrets.
  std::string said = {};
};

// One operation under way: what it is to do, and what its steps leave for later ones and for the
// report.
struct Course {
  using TimePoint = std::chrono::steady_clock::time_point;

  Plan plan;  // `warm` is taken back where the warm colour turns out to be dead
  std::string transaction;
  TimePoint command_began;
  std::shared_ptr<const Snapshot> snapshot = {};  // to be written; none: it was written before
  std::optional<TimePoint> candidate_began = {};
  int restarts_before = 0;                    // of a warm candidate, which are not this operation's
  std::optional<Totals> counted_before = {};  // of the old colour, when the operation began
  std::optional<Totals> baseline = {};        // of the old colour, just before the flip
  std::optional<TimePoint> service_ended = {};
  // As the report has them.
  std::optional<double> seconds_to_healthy = {};
  std::optional<double> seconds_of_flip = {};
  std::optional<double> seconds_to_switched = {};
  std::optional<double> seconds_without_service = {};
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // The steps. `stop` is one that may cut the step short, if any may.
  virtual Outcome hold(Course& course, std::stop_token stop) = 0;
  virtual Outcome proxy(Course& course, std::stop_token stop) = 0;
  virtual Outcome start(Course& course, std::stop_token stop) = 0;
  virtual Outcome prove(Course& course, std::stop_token stop) = 0;
  virtual Outcome promote(Course& course, std::stop_token stop) = 0;
  virtual Outcome flip(Course& course, std::stop_token stop) = 0;
  virtual Outcome drain(Course& course, std::stop_token stop) = 0;
  virtual Outcome bake(Course& course, std::stop_token stop) = 0;
  virtual Outcome settle(Course& course, std::stop_token stop) = 0;
  virtual Outcome abandon(Course& course, std::stop_token stop) = 0;
  virtual Outcome restore(Course& course, std::stop_token stop) = 0;
  virtual Outcome flip_back(Course& course, std::stop_token stop) = 0;
  virtual Outcome retire(Course& course, std::stop_token stop) = 0;
  virtual Outcome rewarm(Course& course, std::stop_token stop) = 0;

  // Puts the release on the colour, in place of what is there, as far as it may go before the flip.
  virtual Result<void> place(Colour colour, const Release& release, const std::string& transaction,
                             std::stop_token stop) = 0;

  // Outside the steps, when something was cut short.

  // Starts what the switch names, where it is down only because a flip ended midway. True: it did.
  virtual Result<bool> finish_flip(const Survey& found) = 0;
  // Whether `release` on this colour serves if the switch names it: it answers, or it can be
  // started there.
  virtual bool can_serve(Colour colour, const Instance& instance, const Release& release) = 0;
  // After recovery: starts what it went back to, which may be dead for a reason of its own. Says
  // what it did.
  virtual Result<std::vector<std::string>> bring_back(const Survey& found, const Ledger& ledger,
                                                      std::stop_token stop) = 0;
};

std::unique_ptr<Strategy> make_strategy(StrategyKind kind, Ports& ports);

// The strategy's method for the step.
Outcome perform(Strategy& strategy, Step step, Course& course, std::stop_token stop);

}  // namespace slipway::deploy
