// The Store on a real database: the same cases for SQLite and for PostgreSQL.
#include "ledger/runner.hpp"

using namespace slipway;
using namespace slipway::ledger;
using namespace slipway::ledger::test;

TEST_CASE("what was written is there for the next instance, and once", "[store]") {
  const auto world = make_world();
  Runner first(*world);
  first.open();
  first.write(first.pay(100));
  CHECK(balances_of(*world) == Balances{{"alice", "-100"}, {"bob", "100"}});
  first.die();
  for (int i = 0; i < 3; ++i) {
    Runner next(*world);
    next.open();
    CHECK((next.view.others[alice].balance == -100));
    CHECK(next.view.instances == 0);
    CHECK(next.parts[alice] == Part{0, -900, 1100});
    next.die();
  }
  CHECK(balances_of(*world) == Balances{{"alice", "-100"}, {"bob", "100"}});
}

TEST_CASE("a batch that is written twice counts once", "[store]") {
  const auto world = make_world();
  Runner one(*world);
  one.open();
  const Batch batch = one.pay(7);
  one.write(batch);
  one.write(batch);
  CHECK(balances_of(*world) == Balances{{"alice", "-7"}, {"bob", "7"}});
}

TEST_CASE("two instances at once: the balance is their sum, the limits are shared", "[store]") {
  const auto world = make_world();
  Runner blue(*world);
  blue.open();
  blue.write(blue.pay(100));
  Runner green(*world);
  green.open();
  CHECK(green.view.instances == 1);
  CHECK(green.parts[alice] == Part{0, 0, 0});
  blue.look();
  CHECK(blue.view.instances == 1);
  blue.share();
  green.look();
  green.share();
  CHECK(green.parts[alice].floor == -450);
  CHECK(blue.parts[alice].floor == -550);
  green.write(green.pay(50));
  blue.write(blue.pay(1));
  CHECK(balances_of(*world) == Balances{{"alice", "-151"}, {"bob", "151"}});
}

TEST_CASE("who ends in order settles itself, and the other takes its room", "[store]") {
  const auto world = make_world();
  Runner blue(*world);
  blue.open();
  Runner green(*world);
  green.open();
  REQUIRE(blue.store->close(blue.pay(100)).has_value());
  blue.die();
  green.look();
  CHECK(green.view.instances == 0);
  green.share();
  CHECK(green.parts[alice] == Part{0, -900, 1100});
  CHECK(balances_of(*world) == Balances{{"alice", "-100"}, {"bob", "100"}});
}

TEST_CASE("an instance that dies is settled by the one that runs on", "[store]") {
  const auto world = make_world();
  Runner blue(*world);
  blue.open();
  Runner green(*world);
  green.open();
  blue.write(blue.pay(100));
  blue.die();
  green.look(true);
  CHECK(green.view.instances == 0);
  CHECK((green.view.others[alice].balance == -100));
  green.share();
  green.write(green.pay(5));
  CHECK(balances_of(*world) == Balances{{"alice", "-105"}, {"bob", "105"}});
}

TEST_CASE("an instance that lives is never settled by another", "[store]") {
  const auto world = make_world();
  Runner blue(*world);
  blue.open();
  blue.write(blue.pay(100));
  for (int i = 0; i < 3; ++i) {
    Runner green(*world);
    green.open();
    green.look(true);
    green.die();
  }
  CHECK_FALSE(blue.write(blue.pay(1)).has_value());
  CHECK(balances_of(*world) == Balances{{"alice", "-101"}, {"bob", "101"}});
}

TEST_CASE("what the connector gains in exchanging is kept, and settled, too", "[store]") {
  const auto world = make_world();
  for (int i = 0; i < 2; ++i) {
    Runner one(*world);
    one.open();
    one.parts[alice].balance = -10;
    one.parts[bob].balance = 9;
    Batch batch = one.batch();
    batch.positions.push_back({settled_part, usd, 1});
    one.write(batch);
    one.die();
  }
  CHECK(balances_of(*world) == Balances{{"alice", "-20"}, {"bob", "18"}});
  const Books books = books_of(*world);
  Wide position = 0;
  for (const PositionRow& row : books.positions) position += row.units;
  CHECK((position == 2));
}

TEST_CASE("an account in another asset is refused by name, and nothing changes", "[store]") {
  const auto world = make_world();
  Runner one(*world);
  one.open();
  one.write(one.pay(1));
  one.die();
  auto other = accounts();
  other[bob].asset = {"EUR", 2};
  Runner next(*world, {.accounts = other});
  const auto opened = next.store->open(true);
  REQUIRE_FALSE(opened.has_value());
  CHECK_THAT(opened.error().what, ContainsSubstring("account bob is in USD/9 in the ledger, and "
                                                    "configured in EUR/2"));
  CHECK(balances_of(*world) == Balances{{"alice", "-1"}, {"bob", "1"}});
}

TEST_CASE("accounts that come and go keep their balances", "[store]") {
  const auto world = make_world();
  Runner one(*world);
  one.open();
  one.write(one.pay(1));
  one.die();
  Runner fewer(*world, {.accounts = {accounts()[alice], {"carol", usd, 0, 10}}});
  fewer.open();
  CHECK((fewer.view.others[0].balance == -1));
  CHECK(fewer.parts[1] == Part{0, 0, 10});
  fewer.die();
  const Balances expected{{"alice", "-1"}, {"bob", "1"}, {"carol", "0"}};
  CHECK(balances_of(*world) == expected);
}

TEST_CASE("a ledger of a newer form is used if that form allows it, else refused", "[store]") {
  const auto world = make_world();
  Runner one(*world);
  one.open();
  one.write(one.pay(1));
  one.die();
  auto newer = migrations();
  newer.push_back({.schema = 2,
                   .oldest_reader = 1,
                   .statements = {"ALTER TABLE ledger_instances ADD COLUMN note TEXT"}});
  Runner two(*world, {.accounts = accounts(), .known = &newer});
  two.open();
  two.die();
  CHECK(books_of(*world).schema == 2);
  Runner back(*world);
  back.open();  // the version before
  back.die();
  newer.push_back(
      {.schema = 3, .oldest_reader = 3, .statements = {"CREATE TABLE ledger_new (a INT)"}});
  {
    // Not while a connector that knows only the former form uses it.
    Runner running(*world);
    running.open();
    Runner three(*world, {.accounts = accounts(), .known = &newer});
    const auto opened = three.store->open(true);
    REQUIRE_FALSE(opened.has_value());
    CHECK_THAT(opened.error().what, ContainsSubstring("from schema 2 to 3 while"));
    running.write(running.pay(1));
  }
  Runner three(*world, {.accounts = accounts(), .known = &newer});
  three.open();
  CHECK((three.view.others[alice].balance == -2));
  three.die();
  Runner old(*world);
  const auto refused = old.store->open(true);
  REQUIRE_FALSE(refused.has_value());
  CHECK_THAT(refused.error().what, ContainsSubstring("connectors of schema 3 or newer"));
}

TEST_CASE("where there is no ledger, reading says so and makes none", "[store]") {
  const auto world = make_world();
  const auto database = world->open(true);
  if (const auto connected = database->connect()) {
    const auto books = read_books(*database);
    REQUIRE_FALSE(books.has_value());
    CHECK(books.error().kind == ErrorKind::not_found);
  } else {
    CHECK(connected.error().kind == ErrorKind::not_found);
  }
}

TEST_CASE("many accounts are written in one batch", "[store]") {
  const auto world = make_world();
  std::vector<AccountSpec> many;
  for (int i = 0; i < 1500; ++i) many.push_back({"peer-" + std::to_string(i), usd});
  Runner one(*world, {.accounts = many});
  one.open();
  Batch batch{.number = 1};
  for (std::size_t i = 0; i < many.size(); ++i) {
    one.parts[i].balance = i % 2 == 0 ? 3 : -3;
    batch.parts.push_back({i, one.parts[i], {}});
  }
  one.write(batch);
  one.die();
  const Books books = books_of(*world);
  CHECK(faults_of(books, many).empty());
  CHECK(books.parts.size() == many.size());
  CHECK((totals_of(books)[1].balance == -3));
}
