#pragma once

#include "ledger/books.hpp"

// How instances share the room that an account's limits leave. Each may use its own without asking;
// what it gives up counts at once for itself and, once written, for the others; what it takes
// counts once it is written. Pure.
namespace slipway::ledger {

// What the others hold of one account.
struct Others {
  Wide balance = 0;  // of all other parts, the settled one included
  Wide floor = 0;
  Wide ceiling = 0;
  // Room of those that want some: between balance and floor, and between balance and ceiling.
  Wide free_below = 0;
  Wide free_above = 0;
  int wanting = 0;  // how many they are
};

// The parts of `account` that are not `own`, summed up. `instances` says who wants room.
std::vector<Others> sum_of_others(const Books& books, const std::vector<AccountSpec>& accounts,
                                  InstanceId own);

// Our part, and what of it is held for packets in flight.
struct Own {
  Part part;
  std::int64_t held_debit = 0;
  std::int64_t held_credit = 0;
  bool wants_room = true;
};

// What to change of our floor and ceiling: giving raises the floor and lowers the ceiling at once;
// taking is what to ask of what nobody has, when the change is written.
struct Change {
  std::int64_t give_below = 0;
  std::int64_t give_above = 0;
  Wide take_below = 0;
  Wide take_above = 0;
  bool any() const { return give_below > 0 || give_above > 0 || take_below > 0 || take_above > 0; }
};
Change rebalance(const AccountSpec& account, const Own& own, const Others& others);

// Grants of what nobody has as much as is asked: the new part.
Part take(const AccountSpec& account, const Part& own, const Others& others, const Change& asked);

// Whether there is nothing to wait for: we have room, or nobody has.
bool has_share(const AccountSpec& account, const Own& own, const Others& others);

}  // namespace slipway::ledger
