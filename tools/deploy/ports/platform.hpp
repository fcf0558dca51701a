#pragma once

#include "deploy/ports/engine.hpp"
#include "deploy/ports/store.hpp"
#include "deploy/ports/switch.hpp"

#include <memory>

namespace slipway::deploy {

// One way to run two colours behind a switch. The later members may use the earlier ones.
struct Platform {
  std::unique_ptr<Store> store;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Switch> traffic;
};

}  // namespace slipway::deploy
