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

// Ends the holder of the lock, and says in the journal who did it and why. Errors: busy (the holder
// is not one of ours), io.
Result<void> break_lock(Store& store, const std::string& actor, const std::string& reason);

}  // namespace slipway::deploy
