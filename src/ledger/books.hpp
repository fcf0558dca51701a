#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

// What a ledger keeps, as values. An account's balance is a sum of parts: one of each instance of
// the connector that runs, and one that is settled. Only an instance itself writes its parts, as
// absolute numbers, so that writing one twice changes nothing.
namespace slipway::ledger {

__extension__ using Wide = __int128;  // sums of balances do not fit in 64 bits

using InstanceId = std::int64_t;
inline constexpr InstanceId settled_part = 0;  // of no instance

struct Asset {
  std::string code;
  int scale = 0;  // decimal places
  auto operator<=>(const Asset&) const = default;
};
std::string to_string(const Asset& asset);  // "USD/9"

// An account as configured.
struct AccountSpec {
  std::string id;
  Asset asset;
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min();
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
};

// A part of an account's balance, and between what it may move without asking anybody. Where the
// floors of all parts sum up to the account's minimum or more, and the ceilings to its maximum or
// less, no order of events takes the account beyond them.
struct Part {
  std::int64_t balance = 0;
  std::int64_t floor = 0;
  std::int64_t ceiling = 0;
  bool operator==(const Part&) const = default;
};

struct PartRow {
  InstanceId instance = settled_part;
  std::string account;
  Asset asset;
  Part part;
};

// What the connector itself gained (+) or gave (-) of an asset in exchanging it for others, and by
// rounding. With it, everything in one asset sums up to zero.
struct PositionRow {
  InstanceId instance = settled_part;
  Asset asset;
  Wide units = 0;
};

// A run of a connector.
struct Instance {
  InstanceId id = 0;
  std::string started;       // UTC
  std::string version;       // of the connector
  bool wants_room = true;    // false while it serves nobody
  std::int64_t written = 0;  // number of its last batch
  std::int64_t settled = 0;  // the epoch in which its parts were added to the settled ones; 0: not
  bool alive = false;        // as seen now
};

struct Books {
  int schema = 0;
  std::int64_t epoch = 0;  // counts every change but that of a balance
  std::vector<Instance> instances;
  std::vector<PartRow> parts;
  std::vector<PositionRow> positions;
};

std::string to_decimal(Wide number);
// False where the text is no decimal number of 128 bits.
bool parse_decimal(const std::string& text, Wide& number);

// The nearest number that 64 bits hold.
inline std::int64_t clamped(Wide number) {
  constexpr Wide least = std::numeric_limits<std::int64_t>::min();
  constexpr Wide most = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(number < least ? least : number > most ? most : number);
}

}  // namespace slipway::ledger
