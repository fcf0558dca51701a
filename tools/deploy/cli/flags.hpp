#pragma once

#include "deploy/run/options.hpp"

#include <CLI/App.hpp>

namespace slipway::deploy {

// Declares the options of `deploy` or `rollback` on `app`. Options::action is set for the tool;
// call settle_options after parsing.
void declare_options(CLI::App& app, Options& options, Action tool);

// Turns flags into one action and texts into values. Returns what is wrong, or nothing.
std::optional<std::string> settle_options(Options& options);

}  // namespace slipway::deploy
