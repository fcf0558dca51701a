#pragma once

#include "base/error.hpp"
#include "ledger/books.hpp"

#include <string>
#include <vector>

// What becomes of the parts of instances that have ended. Pure.
namespace slipway::ledger {

// The settled parts and positions that take the place of those of `ended`; only the rows that
// change. An account's balance is the same before and after. Errors: corrupt, when a sum does not
// fit or an account's parts are in several assets.
struct Settlement {
  std::vector<PartRow> parts;
  std::vector<PositionRow> positions;
};
Result<Settlement> settle(const Books& books, const std::vector<InstanceId>& ended);

// What is wrong with the books, a sentence each; none: an account's parts are in one asset and
// within their floors and ceilings, and each asset sums up to zero. With `configured`: the parts
// together may not leave an account's limits, and assets are the configured ones.
std::vector<std::string> faults_of(const Books& books, const std::vector<AccountSpec>& configured);

// An account's balance.
struct Total {
  std::string account;
  Asset asset;
  Wide balance = 0;
  Wide floor = 0;  // between these no instance has to ask
  Wide ceiling = 0;
};
// Of every account, by id.
std::vector<Total> totals_of(const Books& books);

}  // namespace slipway::ledger
