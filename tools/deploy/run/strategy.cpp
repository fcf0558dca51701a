#include "deploy/run/strategy.hpp"

#include "deploy/run/blue_green.hpp"
#include "deploy/run/recreate.hpp"

namespace slipway::deploy {

std::unique_ptr<Strategy> make_strategy(StrategyKind kind, Ports& ports) {
  if (kind == StrategyKind::recreate) return std::make_unique<Recreate>(ports);
  return std::make_unique<BlueGreen>(ports);
}

Outcome perform(Strategy& strategy, Step step, Course& course, std::stop_token stop) {
  switch (step) {
    case Step::hold:
      return strategy.hold(course, stop);
    case Step::proxy:
      return strategy.proxy(course, stop);
    case Step::start:
      return strategy.start(course, stop);
    case Step::prove:
      return strategy.prove(course, stop);
    case Step::promote:
      return strategy.promote(course, stop);
    case Step::flip:
      return strategy.flip(course, stop);
    case Step::drain:
      return strategy.drain(course, stop);
    case Step::bake:
      return strategy.bake(course, stop);
    case Step::settle:
      return strategy.settle(course, stop);
    case Step::abandon:
      return strategy.abandon(course, stop);
    case Step::restore:
      return strategy.restore(course, stop);
    case Step::flip_back:
      return strategy.flip_back(course, stop);
    case Step::retire:
      return strategy.retire(course, stop);
    case Step::rewarm:
      return strategy.rewarm(course, stop);
    case Step::end:
      break;
  }
  return {};
}

}  // namespace slipway::deploy
