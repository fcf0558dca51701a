#pragma once

#include "deploy/model/ledger.hpp"
#include "deploy/run/ports.hpp"

#include <optional>

namespace slipway::deploy {

// The disk policy: the newest `keepReleases` proven versions stay retained, and whatever runs or
// waits on a colour or served until now; the others are released.
void release_surplus(Ports& ports, const Ledger& ledger, const std::optional<Release>& previous);

}  // namespace slipway::deploy
