#pragma once

#include "ledger/postgres_server.hpp"
#include "ledger/world.hpp"

namespace slipway::ledger::test {

struct PostgresWorld : World {
  std::string store() const override { return server.store(); }

  PostgresServer server;
};

}  // namespace slipway::ledger::test
