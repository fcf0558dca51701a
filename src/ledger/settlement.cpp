#include "ledger/settlement.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

namespace slipway::ledger {
namespace {

Error corrupt(const std::string& what) {
  return {ErrorKind::corrupt, what, "run `connector ledger verify`"};
}

}  // namespace

Result<Settlement> settle(const Books& books, const std::vector<InstanceId>& ended) {
  const std::set<InstanceId> gone(ended.begin(), ended.end());
  struct Sum {
    Asset asset;
    Wide balance = 0;
    bool changed = false;
  };
  std::map<std::string, Sum> sums;
  for (const PartRow& row : books.parts) {
    const bool ends = gone.contains(row.instance);
    if (!ends && row.instance != settled_part) continue;
    const auto [found, is_new] = sums.try_emplace(row.account, Sum{row.asset});
    if (found->second.asset != row.asset) {
      return corrupt(fmt::format("account {} has parts in {} and in {}", row.account,
                                 to_string(found->second.asset), to_string(row.asset)));
    }
    found->second.balance += row.part.balance;
    found->second.changed |= ends;
  }
  Settlement settlement;
  for (const auto& [account, sum] : sums) {
    if (!sum.changed) continue;
    const std::int64_t balance = clamped(sum.balance);
    if (balance != sum.balance) {
      return corrupt(fmt::format("the balance of account {} does not fit in 64 bits", account));
    }
    settlement.parts.push_back({settled_part, account, sum.asset, {balance, balance, balance}});
  }
  std::map<Asset, PositionRow> positions;
  std::set<Asset> moved;
  for (const PositionRow& row : books.positions) {
    const bool ends = gone.contains(row.instance);
    if (!ends && row.instance != settled_part) continue;
    positions.try_emplace(row.asset, PositionRow{settled_part, row.asset, 0}).first->second.units +=
        row.units;
    if (ends) moved.insert(row.asset);
  }
  for (const Asset& asset : moved) settlement.positions.push_back(positions[asset]);
  return settlement;
}

std::vector<Total> totals_of(const Books& books) {
  std::map<std::string, Total> totals;
  for (const PartRow& row : books.parts) {
    Total& total = totals.try_emplace(row.account, Total{row.account, row.asset}).first->second;
    total.balance += row.part.balance;
    total.floor += row.part.floor;
    total.ceiling += row.part.ceiling;
  }
  std::vector<Total> all;
  for (auto& [account, total] : totals) all.push_back(std::move(total));
  return all;
}

namespace {

void check_parts(const Books& books, std::vector<std::string>& faults) {
  std::set<InstanceId> running;
  for (const Instance& instance : books.instances) {
    if (instance.settled == 0) running.insert(instance.id);
  }
  std::map<std::string, Asset> assets;
  std::map<Asset, Wide> sums;
  for (const PartRow& row : books.parts) {
    if (row.instance != settled_part && !running.contains(row.instance)) {
      faults.push_back(fmt::format("account {}: a part of instance {}, which is settled or unknown",
                                   row.account, row.instance));
    }
    const Asset& first = assets.try_emplace(row.account, row.asset).first->second;
    if (first != row.asset) {
      faults.push_back(fmt::format("account {}: parts in {} and in {}", row.account,
                                   to_string(first), to_string(row.asset)));
    }
    if (row.part.balance < row.part.floor || row.part.balance > row.part.ceiling) {
      faults.push_back(fmt::format("account {}: the part {} of instance {} is not within {} to {}",
                                   row.account, row.part.balance, row.instance, row.part.floor,
                                   row.part.ceiling));
    }
    sums[row.asset] += row.part.balance;
  }
  for (const PositionRow& row : books.positions) sums[row.asset] += row.units;
  for (const auto& [asset, sum] : sums) {
    if (sum == 0) continue;
    faults.push_back(
        fmt::format("{}: accounts and the connector's own position sum up to {}, not 0",
                    to_string(asset), to_decimal(sum)));
  }
}

}  // namespace

std::vector<std::string> faults_of(const Books& books, const std::vector<AccountSpec>& configured) {
  std::vector<std::string> faults;
  check_parts(books, faults);
  const std::vector<Total> totals = totals_of(books);
  for (const AccountSpec& account : configured) {
    const auto total = std::find_if(totals.begin(), totals.end(),
                                    [&](const Total& one) { return one.account == account.id; });
    if (total == totals.end()) continue;
    if (total->asset != account.asset) {
      faults.push_back(fmt::format("account {}: in {}, and configured in {}", account.id,
                                   to_string(total->asset), to_string(account.asset)));
    }
    if (total->floor < account.minimum && total->floor < total->balance) {
      faults.push_back(fmt::format("account {}: its parts may fall to {}, below its minimum {}",
                                   account.id, to_decimal(total->floor), account.minimum));
    }
    if (total->ceiling > account.maximum && total->ceiling > total->balance) {
      faults.push_back(fmt::format("account {}: its parts may rise to {}, above its maximum {}",
                                   account.id, to_decimal(total->ceiling), account.maximum));
    }
  }
  return faults;
}

}  // namespace slipway::ledger
