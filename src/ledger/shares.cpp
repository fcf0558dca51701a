#include "ledger/shares.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace slipway::ledger {
namespace {

// One side of an account: below (how far it may fall) or above.
struct Side {
  Wide unallocated;  // negative where the parts are allowed more than the account
  Wide own;          // our free room
  Wide others;       // the free room of others that want some
};

Side below(const AccountSpec& account, const Own& own, const Others& others) {
  return {Wide{own.part.floor} + others.floor - account.minimum,
          Wide{own.part.balance} - own.held_debit - own.part.floor, others.free_below};
}

Side above(const AccountSpec& account, const Own& own, const Others& others) {
  return {Wide{account.maximum} - own.part.ceiling - others.ceiling,
          Wide{own.part.ceiling} - own.part.balance - own.held_credit, others.free_above};
}

// Positive: to take so much; negative: to give.
Wide change_of(const Side& side, bool wanted, int wanting_others) {
  const Wide own = std::max<Wide>(side.own, 0);
  if (!wanted) return -own;
  if (side.unallocated < 0) return -std::min(own, -side.unallocated);
  const Wide equal = (side.unallocated + own + side.others) / (wanting_others + 1);
  if (own < equal) return std::min(side.unallocated, equal - own);
  // Only what is far from equal: else two of them would hand crumbs to and fro for ever.
  return own > equal + equal / 2 ? equal - own : 0;
}

}  // namespace

std::vector<Others> sum_of_others(const Books& books, const std::vector<AccountSpec>& accounts,
                                  InstanceId own) {
  std::map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < accounts.size(); ++i) index[accounts[i].id] = i;
  std::set<InstanceId> wanting;
  for (const Instance& instance : books.instances) {
    if (instance.settled == 0 && instance.wants_room && instance.id != own) {
      wanting.insert(instance.id);
    }
  }
  std::vector<Others> sums(accounts.size());
  for (const PartRow& row : books.parts) {
    const auto found = index.find(row.account);
    if (row.instance == own || found == index.end()) continue;
    Others& sum = sums[found->second];
    sum.balance += row.part.balance;
    sum.floor += row.part.floor;
    sum.ceiling += row.part.ceiling;
    if (!wanting.contains(row.instance)) continue;
    sum.free_below += Wide{row.part.balance} - row.part.floor;
    sum.free_above += Wide{row.part.ceiling} - row.part.balance;
    ++sum.wanting;
  }
  return sums;
}

Change rebalance(const AccountSpec& account, const Own& own, const Others& others) {
  Change change;
  const Wide lower = change_of(below(account, own, others), own.wants_room, others.wanting);
  const Wide upper = change_of(above(account, own, others), own.wants_room, others.wanting);
  if (lower < 0) change.give_below = clamped(-lower);
  if (lower > 0) change.take_below = lower;
  if (upper < 0) change.give_above = clamped(-upper);
  if (upper > 0) change.take_above = upper;
  return change;
}

Part take(const AccountSpec& account, const Part& own, const Others& others, const Change& asked) {
  const Own whole{.part = own};
  const auto granted = [](Wide wanted, Wide unallocated) {
    return std::clamp<Wide>(wanted, 0, std::max<Wide>(unallocated, 0));
  };
  Part part = own;
  // Rounding to 64 bits goes to the safe side: it can only make the room smaller.
  part.floor =
      clamped(own.floor - granted(asked.take_below, below(account, whole, others).unallocated));
  part.ceiling =
      clamped(own.ceiling + granted(asked.take_above, above(account, whole, others).unallocated));
  return part;
}

bool has_share(const AccountSpec& account, const Own& own, const Others& others) {
  const auto settled = [](const Side& side) {
    return side.own > 0 || (side.others <= 1 && side.unallocated <= 0);
  };
  return settled(below(account, own, others)) && settled(above(account, own, others));
}

}  // namespace slipway::ledger
