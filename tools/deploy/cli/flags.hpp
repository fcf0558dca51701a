#pragma once

#include "base/command_line.hpp"
#include "deploy/run/options.hpp"

namespace slipway::deploy {

// Declares the options of `deploy` or `rollback` on `command`. Options::action is set for the tool;
// call settle_options after parsing.
void declare_options(Flags& command, Options& options, Action tool);

// Turns flags into one action and texts into values. Returns what is wrong, or nothing.
std::optional<std::string> settle_options(Options& options);

}  // namespace slipway::deploy
