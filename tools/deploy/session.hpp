#pragma once

// One run of deploy or rollback under the lock: recover first, then look, plan and perform.

#include "deploy/journal.hpp"
#include "deploy/ledger.hpp"
#include "deploy/operation.hpp"
#include "deploy/options.hpp"
#include "deploy/survey.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace slipway::deploy {

// The answer to --status, as JSON; see Session::status.
struct HostStatus {
  nlohmann::json document;
};

class Session {
 public:
  Session(World& world, const Options& options, std::string actor)
      : world_(world), options_(options), actor_(std::move(actor)), began_(world.clock.now()) {}

  // deploy, rollback and resume. Takes for granted that the lock is held.
  Report run(std::stop_token stop);

  // What would be done. Reads only.
  Report dry_run();
  // Reads only; JSON with `running`, `healthy`, `standby`, `open`, `proven`.
  Result<HostStatus> status();
  Result<std::vector<HistoryEntry>> history();

 private:
  Report refused(ExitCode code, const Error& error);
  Result<void> open_journal();
  Result<void> rebuild(const std::string& why);
  std::optional<Report> recover_open(std::stop_token stop);
  Reality look_at_reality(const OpenTransaction& open, const Survey& found);
  void reconcile_roles(const Survey& found, const Ledger& ledger);

  // The steps of planning; each returns a report when the run ends there.
  struct Target {
    Release release;
    Snapshot snapshot;  // empty where the release brings its own
  };
  Result<Target> find_target(const Ledger& ledger, const std::optional<Release>& current,
                             bool may_pull, std::stop_token stop);
  Result<Target> target_of_deploy(bool may_pull, std::stop_token stop);
  Result<Target> target_of_rollback(const Ledger& ledger, const std::optional<Release>& current,
                                    bool may_pull, std::stop_token stop);
  Plan make_plan(const Survey& found, const Ledger& ledger, const Release& target,
                 const std::optional<Release>& current);
  Result<void> may_run(const Plan& plan, std::stop_token stop);
  void let_go_of_surplus(const Report& report);
  void fill_running(Report& report);
  std::string new_transaction_id() const;

  World& world_;
  const Options& options_;
  std::string actor_;
  std::chrono::steady_clock::time_point began_;
  std::optional<Journal> journal_;
};

}  // namespace slipway::deploy
