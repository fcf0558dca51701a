#pragma once

#include <string>

namespace slipway::deploy {

// Who asked, from where: for the audit log and for whoever finds the lock taken. SLIPWAY_ACTOR, or
// the user who logged in, and the address that their SSH connection comes from.
std::string actor_name();

}  // namespace slipway::deploy
