#pragma once

#include "connector/hub.hpp"

#include <chrono>
#include <string>

namespace slipway::connector {

// The Prometheus text exposition (version 0.0.4) of everything the connector counts. Labels are
// account ids, assets, outcomes and fixed reasons, never an ILP address.
std::string render_metrics(const Hub& hub, std::string_view role,
                           std::chrono::system_clock::time_point started);

}  // namespace slipway::connector
