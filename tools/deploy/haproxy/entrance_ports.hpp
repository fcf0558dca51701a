#pragma once

#include "base/error.hpp"
#include "deploy/ports/switch.hpp"
#include "deploy/state/config.hpp"

#include <cstdint>

namespace slipway::deploy {

// That nobody listens on the ports by which users come in to these services. Errors: busy, naming
// the port and the process that does.
Result<void> check_entrance_ports(const Config& config, const Services& services);

// Whether a socket of this host listens on the port, of whatever address.
bool somebody_listens(std::uint16_t port);

}  // namespace slipway::deploy
