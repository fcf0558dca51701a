#pragma once

#include "connector/power_cut_disk.hpp"
#include "ledger/postgres_server.hpp"
#include "support/temporary_directory.hpp"

#include <optional>
#include <string>

namespace slipway::connector::test {

// Where a ledger is, and what can happen to it there.
class LedgerPlace {
 public:
  // `can_be_cut`: on a disk of its own.
  LedgerPlace(bool postgres, bool can_be_cut);

  const std::string& store() const { return store_; }
  // The disk is full soon after, or the server gone, until it is mended. Only where it can be cut.
  // The first is to be called before a connector starts.
  void prepare_to_break();
  void break_down();
  void mend();
  // The power is lost and comes back. Connectors must be dead.
  void cut();

 private:
  slipway::test::TemporaryDirectory folder_;
  std::optional<PowerCutDisk> disk_;
  std::optional<ledger::test::PostgresServer> server_;
  std::string store_;
};

// That a cut takes what it ought to, and no more: else no trial would prove anything.
bool cut_loses_only_what_is_not_synced();

}  // namespace slipway::connector::test
