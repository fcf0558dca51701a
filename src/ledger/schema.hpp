#pragma once

#include "ledger/database.hpp"

#include <vector>

namespace slipway::ledger {

// A step from one form of the tables to the next.
struct Migration {
  int schema;         // what there is afterwards
  int oldest_reader;  // the oldest schema whose connectors can read and write it
  std::vector<std::string> statements;
};

// All of them, the first from nothing. One that older connectors cannot use also needs the image's
// label io.slipway.oldest-return.
const std::vector<Migration>& migrations();

// The form that the database has, 0: none. Errors: also usage, where it is newer than ours and
// cannot be read by us.
Result<int> read_schema(Database& database, const std::vector<Migration>& known);

// Brings the tables to the newest form; within a transaction of Access::whole. Refused where
// `others_live` and one of them might not be able to use the new form. Errors: also read_schema's.
Result<void> migrate(Database& database, const std::vector<Migration>& known, bool others_live);

}  // namespace slipway::ledger
