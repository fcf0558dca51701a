#pragma once

namespace slipway::deploy {

// How the new version takes the place of the old one.
enum class StrategyKind {
  blue_green,  // beside it: proven first, then the switch is flipped
  recreate,    // after it: one instance at a time, proven where it serves
};

}  // namespace slipway::deploy
