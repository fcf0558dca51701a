#pragma once

#include "deploy/run/options.hpp"

#include <stop_token>

namespace slipway::deploy {

// Runs what the options ask for on this host, prints the outcome and returns the exit status.
int run(const Options& options, const std::string& program, std::stop_token stop);

}  // namespace slipway::deploy
