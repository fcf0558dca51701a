#pragma once

#include "deploy/run/shared_steps.hpp"

namespace slipway::deploy {

// The candidate beside the old colour: proven as a standby, promoted, and given the traffic by one
// flip; the old colour is drained and stays warm.
class BlueGreen : public SharedSteps {
 public:
  using SharedSteps::SharedSteps;

  Outcome proxy(Course& course, std::stop_token stop) override;
  Outcome prove(Course& course, std::stop_token stop) override;
  Outcome promote(Course& course, std::stop_token stop) override;
  Outcome flip(Course& course, std::stop_token stop) override;
  Outcome drain(Course& course, std::stop_token stop) override;
  Outcome bake(Course& course, std::stop_token stop) override;
  Outcome restore(Course& course, std::stop_token stop) override;
  Outcome flip_back(Course& course, std::stop_token stop) override;

  Result<void> place(Colour colour, const Release& release, const std::string& transaction,
                     std::stop_token stop) override;
  Result<bool> finish_flip(const Survey&) override { return false; }
  bool can_serve(Colour colour, const Instance& instance, const Release& release) override;
  Result<std::vector<std::string>> bring_back(const Survey& found, const Ledger& ledger,
                                              std::stop_token stop) override;

 protected:
  bool is_placed(const Instance& instance) const override { return instance.running; }

 private:
  Services services_of(const Plan& plan);
  bool bakes(const Plan& plan);
  Outcome bake_without_baseline(const Course& course, const Error& why);
};

}  // namespace slipway::deploy
