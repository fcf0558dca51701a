#pragma once

#include "deploy/model/ledger.hpp"
#include "deploy/run/strategy.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

// After a crash or a reboot the serving colour comes back as a standby: it serves, but dials no
// peer until it is told to. Tells it so; does nothing where it is active, has no roles or does not
// answer.
void promote_serving(Ports& ports, const Survey& found, const Ledger& ledger);

// With no operation open: starts the switch and the colour that it names where they do not run,
// as after a power cut when the engine could not, and makes that colour active. Says what it did;
// nothing when all was well. Errors: what the engine said, or failed when the colour that was
// started does not answer.
Result<std::vector<std::string>> revive(Ports& ports, Strategy& strategy, const Survey& found,
                                        const Ledger& ledger, std::stop_token stop);

}  // namespace slipway::deploy
