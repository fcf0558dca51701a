#include "ledger/postgres_world.hpp"

namespace slipway::ledger::test {

std::unique_ptr<World> make_world() {
  return std::make_unique<PostgresWorld>();
}

}  // namespace slipway::ledger::test
