#pragma once

#include "deploy/model/ledger.hpp"
#include "deploy/run/operation.hpp"

#include <optional>

namespace slipway::deploy {

// The disk policy: the newest `keepReleases` proven releases stay held, and whatever runs or waits
// on a colour or served until now; the others are let go of.
void let_go_of_surplus(World& world, const Ledger& ledger, const std::optional<Release>& previous);

}  // namespace slipway::deploy
