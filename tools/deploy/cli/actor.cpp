#include "deploy/cli/actor.hpp"

#include "base/foreign_text.hpp"

#include <cstdlib>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

std::string actor_name() {
  std::string who = environment_value("SLIPWAY_ACTOR");
  for (const char* name : {"SUDO_USER", "LOGNAME", "USER"}) {
    if (who.empty()) who = environment_value(name);
  }
  if (who.empty()) who = fmt::format("uid {}", ::getuid());
  const std::string connection = environment_value("SSH_CONNECTION");
  if (!connection.empty()) who += " from " + connection.substr(0, connection.find(' '));
  return foreign_line(who, 200);
}

bool is_forced_command() {
  // The latter alone gets through the sudoers line of an earlier version.
  return !environment_value("SSH_ORIGINAL_COMMAND").empty() ||
         !environment_value("SLIPWAY_ACTOR").empty();
}

}  // namespace slipway::deploy
