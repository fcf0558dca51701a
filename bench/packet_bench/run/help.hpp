#pragma once

#include <string>

#include <CLI/App.hpp>

namespace slipway::bench {

// `--help` of a command, for App::formatter_fn: 80 columns, the flags by group, the exit statuses,
// and the command's footer, its examples. Consecutive flags of the same description share a line;
// what is described as "" is not listed.
std::string help_text(const CLI::App* command, std::string name, CLI::AppFormatMode mode);

}  // namespace slipway::bench
