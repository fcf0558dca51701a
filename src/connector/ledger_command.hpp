#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "connector/config.hpp"

#include <optional>
#include <string>

namespace slipway::connector {

// `connector ledger show|verify|export`: looks at a ledger, also while connectors use it, and
// changes nothing.
class LedgerCommand {
 public:
  explicit LedgerCommand(CommandLine& line);

  bool given() const { return command_.given(); }
  // The store that was named; empty: the configured one.
  const std::string& store() const { return store_; }

  // Prints what was asked for on stdout. `config`: nothing, when only a store was named. The exit
  // status: 0; 1 where `verify` found faults. Errors: of the store.
  Result<int> run(const std::optional<Config>& config) const;

 private:
  std::string store_;
  bool json_ = false;
  Flags command_;
  Flags show_;
  Flags verify_;
  Flags export_;
};

}  // namespace slipway::connector
