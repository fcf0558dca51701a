#pragma once

// What an operation is to end on: found on this host or pulled, with the configuration it runs
// with.

#include "deploy/model/ledger.hpp"
#include "deploy/run/options.hpp"
#include "deploy/run/ports.hpp"
#include "deploy/run/survey.hpp"

#include <memory>
#include <stop_token>

namespace slipway::deploy {

struct Destination {
  Release release;
  std::shared_ptr<const Snapshot> snapshot;  // none: the release brings its own, written before
};

// Errors: not_found (the remedy lists the versions that are known), unreachable, timeout, failed,
// cancelled. A rollback without a name goes to the last version proven healthy or,
// where what serves is dead, to what lives. Without `may_pull` an image that is not here leaves
// parts of the release empty.
Result<Destination> find_destination(Ports& ports, const Options& options, const Ledger& ledger,
                                     const Survey& found, bool may_pull, std::stop_token stop);

}  // namespace slipway::deploy
