#pragma once

// One run of deploy or rollback under the lock: recover first, then look, plan and perform.

#include "deploy/model/ledger.hpp"
#include "deploy/run/host_status.hpp"
#include "deploy/run/options.hpp"
#include "deploy/run/strategy.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::deploy {

class Session {
 public:
  Session(Ports& ports, const Options& options, std::string actor)
      : ports_(ports),
        options_(options),
        actor_(std::move(actor)),
        began_(ports.clock.now()),
        strategy_(make_strategy(ports.config.strategy, ports)) {}

  // deploy, rollback and resume. Takes for granted that the lock is held.
  Report run(std::stop_token stop);

  // What would be done. Reads only.
  Report dry_run();
  // Why nothing was begun, as where somebody else holds the lock, and what runs. Reads only.
  Report not_begun(ExitCode code, const Error& error);
  // Reads only; see host_status.hpp.
  Result<HostStatus> status();
  // What the journal tells of the past.
  Result<Ledger> history();

 private:
  // Why nothing is begun: told, and, where somebody asked for it, written into the journal.
  Report refused(ExitCode code, const Error& error);
  Report refusal(ExitCode code, const Error& error);
  Result<void> open_journal();
  std::optional<Report> recover_open(std::stop_token stop);
  Reality look_at_reality(const OpenTransaction& open, const Survey& found);
  Plan make_plan(const Survey& found, const Ledger& ledger, const Release& target,
                 const std::optional<Release>& current);
  Report nothing_to_change(const Release& current, const Release& asked);
  // `done`: what was started.
  Report nothing_to_resume(const Ledger& ledger, const std::vector<std::string>& done);
  Report dry_resume(const Survey& found, const Ledger& ledger);
  void tell_of_what_is_gone(Report& report, const Ledger& ledger);
  bool answers_after_a_while(const Ledger& ledger);
  // Where no operation was begun: in one record.
  void note(const Report& report);
  void bring_back(Report& report, std::stop_token stop);
  void fill_running(Report& report);
  void warn_of_what_waits(Report& report);
  std::string new_transaction_id() const;

  Ports& ports_;
  const Options& options_;
  std::string actor_;
  std::chrono::steady_clock::time_point began_;
  std::unique_ptr<Strategy> strategy_;
  std::unique_ptr<Journal> journal_;
};

}  // namespace slipway::deploy
