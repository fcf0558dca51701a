// What only a server can do to an instance that lives: end its session.
#include "ledger/postgres_world.hpp"
#include "ledger/runner.hpp"

using namespace slipway;
using namespace slipway::ledger;
using namespace slipway::ledger::test;

namespace {

// Ends the session of an instance as a broken network does.
void cut_off(const PostgresServer& server, InstanceId instance) {
  server.run(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' "
      "AND (classid::bigint << 32 | objid::bigint) = " +
      std::to_string(instance));
}

}  // namespace

TEST_CASE("who was taken for dead learns what of it was counted", "[store]") {
  PostgresWorld world;
  Runner blue(world);
  blue.open();
  blue.write(blue.pay(100));
  const InstanceId id = books_of(world).instances.back().id;
  cut_off(world.server, id);
  Runner green(world);
  green.open();
  CHECK((green.view.others[alice].balance == -100));
  // Its connection is gone; with a new one it learns that its first batch is the last that counts.
  const Batch late = blue.pay(7);
  auto written = blue.store->write(late);
  for (int i = 0; !written && i < 5; ++i) written = blue.store->write(late);
  REQUIRE(written.has_value());
  REQUIRE(written->settled_at.has_value());
  CHECK(*written->settled_at == 1);
  blue.open();
  blue.parts[alice].balance = -7;
  blue.parts[bob].balance = 7;
  blue.write(blue.batch());
  const Books books = books_of(world);
  CHECK((totals_of(books)[alice].balance == -107));
}

TEST_CASE("a connection that was cut goes on with the same instance", "[store]") {
  PostgresWorld world;
  Runner blue(world);
  blue.open();
  blue.write(blue.pay(100));
  cut_off(world.server, books_of(world).instances.back().id);
  const Batch next = blue.pay(7);
  auto written = blue.store->write(next);
  for (int i = 0; !written && i < 5; ++i) written = blue.store->write(next);
  REQUIRE(written.has_value());
  CHECK_FALSE(written->settled_at.has_value());
  CHECK(balances_of(world) == Balances{{"alice", "-107"}, {"bob", "107"}});
}
