#pragma once

#include "deploy/ports/platform.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// A namespace of a cluster: Deployments, a Service, and what must last in objects beside them.
// `config` must outlive it.
Platform make_kubernetes_platform(const Config& config, const Patience& patience);

}  // namespace slipway::deploy
