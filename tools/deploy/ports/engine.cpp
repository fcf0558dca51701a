#include "deploy/ports/engine.hpp"

#include "base/units.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

// To Docker what never ended did so in the year 1, which no clock of ours can hold.
std::string end_of(std::string_view told) {
  const auto time = told.starts_with("0001-") ? std::nullopt : parse_utc(told);
  return time ? format_utc(*time) : std::string();
}

std::string death_of(const Instance& instance) {
  return fmt::format("ended with status {}{}{}{}{}", instance.exit_code,
                     instance.ended.empty() ? "" : " at ", instance.ended,
                     instance.reason.empty() ? "" : ": ", instance.reason);
}

}  // namespace slipway::deploy
