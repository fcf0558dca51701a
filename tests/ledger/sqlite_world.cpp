#include "ledger/world.hpp"
#include "support/temporary_directory.hpp"

namespace slipway::ledger::test {
namespace {

class SqliteWorld : public World {
 public:
  std::string store() const override { return "sqlite:" + (folder_.path() / "ledger.db").string(); }

 private:
  slipway::test::TemporaryDirectory folder_;
};

}  // namespace

std::unique_ptr<World> make_world() {
  return std::make_unique<SqliteWorld>();
}

}  // namespace slipway::ledger::test
