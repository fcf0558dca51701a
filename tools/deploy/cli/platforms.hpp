#pragma once

#include "deploy/ports/platform.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// The platform that the configuration names; `config` must outlive it. Errors: usage (there is no
// such platform).
Result<Platform> make_platform(const Config& config, const Patience& patience = {});

}  // namespace slipway::deploy
