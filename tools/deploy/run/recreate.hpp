#pragma once

#include "deploy/run/shared_steps.hpp"

namespace slipway::deploy {

// One instance at a time: the candidate is only made ready, and the flip stops the old one and
// starts it. So it is proven where it serves, and the time without service is measured.
class Recreate : public SharedSteps {
 public:
  using SharedSteps::SharedSteps;

  Outcome hold(Course& course, std::stop_token stop) override;
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
  Result<bool> finish_flip(const Survey& found) override;
  bool can_serve(Colour colour, const Instance& instance, const Release& release) override;
  Result<std::vector<std::string>> bring_back(const Survey& found, const Ledger& ledger,
                                              std::stop_token stop) override;

 protected:
  bool is_placed(const Instance& instance) const override { return instance.exists; }

 private:
  Outcome replace_by(Course& course, Colour colour, const std::string& point);
};

}  // namespace slipway::deploy
