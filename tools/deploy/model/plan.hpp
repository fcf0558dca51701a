#pragma once

#include "deploy/model/colour.hpp"
#include "deploy/model/release.hpp"
#include "deploy/model/strategy_kind.hpp"
#include "deploy/model/transition.hpp"

#include <optional>
#include <string>

namespace slipway::deploy {

// What an operation is to do, decided before it begins. Written into the journal as a whole.
struct Plan {
  bool rollback = false;
  Release target;
  Colour candidate = Colour::blue;
  std::optional<Release> old;        // what serves now, on the other colour
  std::optional<Release> displaced;  // what waits on the candidate colour and makes room
  StrategyKind strategy = StrategyKind::blue_green;
  bool warm = false;  // the candidate colour runs the target already
  std::string actor;  // who asked, from where
  std::string reason;

  Colour old_colour() const { return other(candidate); }
  Situation situation() const {
    return {rollback, old.has_value(), strategy == StrategyKind::recreate};
  }
};

}  // namespace slipway::deploy
