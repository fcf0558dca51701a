#pragma once

#include "ledger/reading.hpp"
#include "ledger/settlement.hpp"
#include "ledger/store.hpp"
#include "ledger/world.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace slipway::ledger::test {

inline const Asset usd{"USD", 9};
inline constexpr std::size_t alice = 0;
inline constexpr std::size_t bob = 1;

inline std::vector<AccountSpec> accounts() {
  return {{"alice", usd, -1000, 1000}, {"bob", usd, -1000, 1000}};
}

// A connector's end of it: its parts as a Bookkeeper would have them.
struct Runner {
  explicit Runner(World& its_world,
                  Store::Options options = {.accounts = accounts(), .version = "1.2.3"})
      : world(its_world), store(std::in_place, world.open(), options) {}

  void open(bool wants_room = true) {
    const auto opened = store->open(wants_room);
    INFO((opened ? "" : opened.error().text()));
    REQUIRE(opened.has_value());
    parts = opened->parts;
    view = opened->view;
    number = 0;
  }
  Batch pay(std::int64_t amount) {
    parts[alice].balance -= amount;
    parts[bob].balance += amount;
    return batch();
  }
  Batch batch() {
    return {.number = ++number, .parts = {{alice, parts[alice], {}}, {bob, parts[bob], {}}}};
  }
  // Up to which batch we were counted by somebody who took us for dead, if so.
  std::optional<std::int64_t> write(const Batch& what) {
    const auto written = store->write(what);
    INFO((written ? "" : written.error().text()));
    REQUIRE(written.has_value());
    for (const auto& [account, part] : written->granted) parts[account] = part;
    if (written->looked) view = written->view;
    return written->settled_at;
  }
  // Gives and asks as is right now.
  void share(bool wants_room = true) {
    Batch all{.number = ++number, .wants_room = wants_room, .shares_changed = true};
    for (const std::size_t i : {alice, bob}) {
      const Own own{.part = parts[i], .wants_room = wants_room};
      const Change change = rebalance(accounts()[i], own, view.others[i]);
      parts[i].floor += change.give_below;
      parts[i].ceiling -= change.give_above;
      all.parts.push_back({i, parts[i], change});
    }
    write(all);
  }
  void look(bool settle_ended = false) {
    const auto seen = store->look(settle_ended);
    REQUIRE(seen.has_value());
    if (seen->looked) view = seen->view;
  }
  // As by SIGKILL: its claims end with its descriptors, or when the server has seen that its
  // connection ended.
  void die() {
    const auto before = world.claims();
    store.reset();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (before > 0 && world.claims() >= before && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  World& world;
  std::optional<Store> store;
  std::vector<Part> parts;
  View view;
  std::int64_t number = 0;
};

inline Books books_of(World& world) {
  const auto database = world.open(true);
  REQUIRE(database->connect().has_value());
  auto books = read_books(*database);
  REQUIRE(books.has_value());
  return *books;
}

inline std::map<std::string, std::string> balances_of(World& world) {
  std::map<std::string, std::string> balances;
  const Books books = books_of(world);
  CHECK(faults_of(books, accounts()).empty());
  for (const Total& total : totals_of(books)) balances[total.account] = to_decimal(total.balance);
  return balances;
}

using Balances = std::map<std::string, std::string>;

}  // namespace slipway::ledger::test
