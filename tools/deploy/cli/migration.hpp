#pragma once

// From a configuration of before there was slipway.yml, when the tools knew one service alone: what
// deploy.json and the files beside it said of that service becomes its slipway.yml.

#include "base/error.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace slipway::deploy {

// Why the configuration cannot be used before it is migrated, and the remedy; nothing where it can.
std::optional<Error> refusal_of_old(const std::filesystem::path& file);

// Writes slipway.yml and a new deploy.json beside the old one, which is kept, and says what it did,
// a line each. Touches no container; where it was cut short it can be done again. Errors: usage
// (what is there is no such configuration, or is in the way), not_found, io, busy (an operation
// goes on).
Result<std::vector<std::string>> migrate_config(const std::filesystem::path& file);

}  // namespace slipway::deploy
