#pragma once

#include "deploy/ports/engine.hpp"
#include "deploy/ports/store.hpp"
#include "deploy/ports/switch.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace slipway::deploy {

// How long a platform waits for an engine that does not answer, and whom it tells of what it waits
// for, which it does at once.
struct Patience {
  std::chrono::nanoseconds longest = std::chrono::seconds(30);
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

// One way to run two colours behind a switch. The later members may use the earlier ones.
struct Platform {
  std::shared_ptr<void> connection = {};  // that the others share, if they do
  std::unique_ptr<Store> store;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Switch> traffic;
};

}  // namespace slipway::deploy
