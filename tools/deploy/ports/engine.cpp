#include "deploy/ports/engine.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

std::string death_of(const Instance& instance) {
  return fmt::format("ended with status {}{}{}{}{}", instance.exit_code,
                     instance.ended.empty() ? "" : " at ", instance.ended,
                     instance.reason.empty() ? "" : ": ", instance.reason);
}

}  // namespace slipway::deploy
