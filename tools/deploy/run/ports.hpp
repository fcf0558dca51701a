#pragma once

#include "deploy/model/report.hpp"
#include "deploy/model/transition.hpp"
#include "deploy/ports/clock.hpp"
#include "deploy/ports/engine.hpp"
#include "deploy/ports/health_source.hpp"
#include "deploy/ports/store.hpp"
#include "deploy/ports/switch.hpp"
#include "deploy/state/config.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace slipway::deploy {

// All that an operation knows of the world outside, behind interfaces.
struct Ports {
  const Config& config;
  Engine& engine;
  Switch& traffic;
  Store& store;
  HealthSource& health;
  Clock& clock;
  // A new version has no longer than this to prove itself, whatever its service says.
  std::chrono::nanoseconds longest_proof = std::chrono::nanoseconds::max();
  // Whoever asked may see what an instance said: not a key that may only deploy, for an image can
  // print what it was told.
  bool shows_words = true;
  // Called before and after every journal write and every call that changes something, with the
  // name of the point: where tests end the process.
  std::function<void(const std::string&)> failpoint = [](const std::string&) {};
  // Called when a step begins and when it has ended.
  std::function<void(Step, const StepReport*)> progress = [](Step, const StepReport*) {};
};

}  // namespace slipway::deploy
