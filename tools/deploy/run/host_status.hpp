#pragma once

#include "deploy/model/ledger.hpp"
#include "deploy/run/ports.hpp"

#include <optional>
#include <string>
#include <vector>

namespace slipway::deploy {

// What is on a colour now.
struct ColourStatus {
  Release release;
  Colour colour = Colour::blue;
  Instance instance;
  bool healthy = false;
  std::string role;  // as its health says; empty where it has none, or does not answer
  bool ready = false;
  std::optional<std::string> objection;  // why it is not live as this release
};

// What is true of the host now, as `rollback --status` prints it.
struct HostStatus {
  bool switch_running = false;
  std::optional<ColourStatus> running;  // on the colour that the switch names
  std::optional<ColourStatus> standby;  // on the other one
  std::optional<OpenTransaction> open;  // one that was cut short or is going on
  std::optional<HistoryEntry> last;     // the last one that ended
  std::vector<Release> proven;
  std::vector<Release> gone;  // those of them whose image this host has no more

  bool is_here(const Release& release) const;
  // Whether anything ever served here, or is to.
  bool should_serve() const { return running || !proven.empty(); }
  bool healthy() const { return switch_running && running && running->healthy && running->ready; }
};

// Changes nothing. Errors: what the switch or the engine said.
Result<HostStatus> host_status(Ports& ports, const Ledger& ledger);

}  // namespace slipway::deploy
