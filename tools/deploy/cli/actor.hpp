#pragma once

#include <string>

namespace slipway::deploy {

// Who asked, from where: for the audit log and for whoever finds the lock taken. SLIPWAY_ACTOR, or
// the user who logged in, and the address that their SSH connection comes from.
std::string actor_name();

// Whether a key asked that may deploy, roll back and ask, and nothing else (host/ssh-command).
bool is_forced_command();

}  // namespace slipway::deploy
