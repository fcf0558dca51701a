#pragma once

#include "deploy/model/ledger.hpp"
#include "deploy/model/report.hpp"
#include "deploy/state/config.hpp"

#include <string>

namespace slipway::deploy {

// slipway-PROJECT.prom in the configured folder, replaced as a whole, mode 0644: for
// node_exporter's textfile collector, or whatever else reads such files. An outcome is not affected
// by a failure, which is a warning. `ledger`: as it is after the operation.
void write_metrics(const Report& report, const Result<Ledger>& ledger, const Config& config,
                   const std::string& program);

}  // namespace slipway::deploy
