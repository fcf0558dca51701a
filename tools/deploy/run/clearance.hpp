#pragma once

#include "deploy/model/ledger.hpp"
#include "deploy/run/ports.hpp"

#include <stop_token>

namespace slipway::deploy {

// What speaks against an operation before anything is touched: too little space, a version that
// must not be gone back to (unless `force`), a switch that does not carry it. Reads only. Errors:
// failed.
Result<void> check_clearance(Ports& ports, const Plan& plan, const Ledger& ledger, bool force);

// Whether the switch, which runs, carries the plan's target. Errors: failed.
Result<void> check_switch(Ports& ports, const Plan& plan);

// Whether the configuration's verify command takes the image of a deploy. Errors: not_found (it
// does not), cancelled.
Result<void> verify_image(const Config& config, const Plan& plan, std::stop_token stop);

}  // namespace slipway::deploy
