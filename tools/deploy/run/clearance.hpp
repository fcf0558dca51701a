#pragma once

#include "deploy/run/ports.hpp"

#include <stop_token>

namespace slipway::deploy {

// What speaks against an operation before anything is touched: too little space, a version that
// must not be gone back to (unless `force`), an image that the verify command refuses.
// Errors: failed, not_found (not verified).
Result<void> check_clearance(Ports& ports, const Plan& plan, bool force, std::stop_token stop);

}  // namespace slipway::deploy
