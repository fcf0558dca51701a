#pragma once

#include "ledger/postgres_server.hpp"
#include "ledger/world.hpp"

namespace slipway::ledger::test {

struct PostgresWorld : World {
  std::string store() const override { return server.store(); }
  std::int64_t claims() override {
    const auto database = open(true);
    if (!database->connect()) return 0;
    const auto rows =
        database->query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", {});
    return rows ? std::get<std::int64_t>(rows->at(0).at(0)) : 0;
  }

  PostgresServer server;
};

}  // namespace slipway::ledger::test
