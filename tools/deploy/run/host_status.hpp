#pragma once

#include "deploy/model/ledger.hpp"
#include "deploy/run/operation.hpp"

#include <nlohmann/json.hpp>

namespace slipway::deploy {

// A struct of its own, because nlohmann::json converts to everything.
struct HostStatus {
  nlohmann::json document;
};

// What is true of the host now, as `rollback --status --json` prints it: `running`, `standby`,
// `healthy`, `open`, `proven`. Changes nothing.
Result<HostStatus> host_status(World& world, const Ledger& ledger);

}  // namespace slipway::deploy
