#pragma once

#include "deploy/ports/store.hpp"
#include "deploy/run/options.hpp"

#include <memory>
#include <stop_token>
#include <string>

namespace slipway::deploy {

// The lock, at once or within the time to queue. Errors: busy, io.
Result<std::unique_ptr<Lock>> take_lock(Store& store, const Options& options,
                                        const LockOwner& owner, std::stop_token stop);

// Writes into the journal that the lock of `ended` was broken, and why. The caller holds the lock
// now: whoever waited for it may have been faster.
Result<void> note_broken_lock(Store& store, const LockOwner& ended, const std::string& actor,
                              const std::string& reason);

}  // namespace slipway::deploy
