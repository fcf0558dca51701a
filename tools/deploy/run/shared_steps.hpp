#pragma once

#include "deploy/run/strategy.hpp"

#include <functional>

namespace slipway::deploy {

// What the strategies have in common.
class SharedSteps : public Strategy {
 public:
  explicit SharedSteps(Ports& ports) : ports_(ports) {}

  Outcome hold(Course& course, std::stop_token stop) override;
  Outcome start(Course& course, std::stop_token stop) override;
  Outcome settle(Course& course, std::stop_token stop) override;
  Outcome abandon(Course& course, std::stop_token stop) override;
  Outcome retire(Course& course, std::stop_token stop) override;
  Outcome rewarm(Course& course, std::stop_token stop) override;

 protected:
  // Whether place() got as far as it goes.
  virtual bool is_placed(const Instance& instance) const = 0;

  // An effect on the world, between two failpoints.
  Outcome changing(const std::string& point, const std::function<Result<void>()>& effect);
  // Places the release, once more where that fails, and adopts what is there where only the reply
  // was lost.
  Outcome start_colour(const Course& course, const std::string& point, Colour colour,
                       const Release& release, std::stop_token stop);
  // Flips the switch and finds out what came of it. `seconds`: of a flip that was confirmed.
  Outcome flip_to(Colour colour, const std::string& point,
                  std::optional<double>* seconds = nullptr);
  // Until users reach what the last flip leads to, and nothing else.
  Outcome await_flip(std::stop_token stop);
  // Until the switch answers.
  Outcome await_switch(std::stop_token stop);
  // Tells the colour that it serves, where it has roles, and waits until it is ready.
  Outcome activate(Colour colour, const Release& release, const std::string& point,
                   std::stop_token stop);
  // The colour answers what it accepted, and stays up. Where it has no roles, what is connected for
  // longer than it may drain stays connected, too.
  Outcome drain_colour(const Course& course, Colour colour, std::stop_token stop);

  Ports& ports_;

 private:
  Outcome await_last_session(Colour colour, std::chrono::nanoseconds deadline,
                             std::stop_token stop);
};

}  // namespace slipway::deploy
