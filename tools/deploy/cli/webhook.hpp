#pragma once

#include "deploy/model/report.hpp"
#include "deploy/state/config.hpp"

#include <string>

namespace slipway::deploy {

// Hands the report to the webhook, if there is one. Its address may hold a secret: it goes into a
// file that only we read, never into an argument list, and a failure says no more than that it
// failed.
void call_webhook(const Report& report, const Config& config, const std::string& program);

}  // namespace slipway::deploy
