#pragma once

#include "ledger/database.hpp"
#include "ledger/schema.hpp"

namespace slipway::ledger {

// All of it, with who lives, in a transaction of its own. Errors: also not_found, where there are
// no tables.
Result<Books> read_books(Database& database, const std::vector<Migration>& known = migrations());

// The same within the transaction that there is.
Result<Books> read_within(Database& database, const std::vector<Migration>& known);
Result<std::int64_t> read_epoch(Database& database);

}  // namespace slipway::ledger
