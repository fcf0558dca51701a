#pragma once

#include "base/error.hpp"
#include "connector/config.hpp"

#include <chrono>
#include <string>

namespace slipway::connector {

// GET /health/live of the connector that this configuration describes, on loopback. A success means
// 200 in time.
Result<void> check_health(const Config& config, std::chrono::milliseconds timeout);

// One real packet: opens BTP to the connector that this configuration describes, on loopback, as
// `account`, and asks for its IL-DCP configuration. The value is the ILP address it was told. It
// takes the account's place (one socket an account), so use an account that nobody else uses.
Result<std::string> probe(const Config& config, const std::string& account,
                          std::chrono::milliseconds timeout);

}  // namespace slipway::connector
