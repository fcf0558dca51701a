#pragma once

#include "ledger/database.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace slipway::ledger::test {

// A fresh ledger of one kind of database.
class World {
 public:
  virtual ~World() = default;
  virtual std::string store() const = 0;
  // How many instances are claimed by somebody whose end is noticed later than it comes.
  virtual std::int64_t claims() { return 0; }

  std::unique_ptr<Database> open(bool read_only = false) {
    return open_database(store(), read_only).value();
  }
};

std::unique_ptr<World> make_world();

}  // namespace slipway::ledger::test
