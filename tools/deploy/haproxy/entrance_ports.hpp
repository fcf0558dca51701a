#pragma once

#include "base/error.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// That nobody listens on the ports by which users come in: the configuration's BTP and HTTP ports.
// Errors: busy, naming the port and the process that does.
Result<void> check_entrance_ports(const Config& config);

}  // namespace slipway::deploy
