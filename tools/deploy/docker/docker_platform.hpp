#pragma once

#include "deploy/ports/platform.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// This host: Docker, files below stateDir, and HAProxy or, with one container at a time, none.
// `config` must outlive it.
Platform make_docker_platform(const Config& config, const Patience& patience);

}  // namespace slipway::deploy
