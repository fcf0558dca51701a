#include "deploy/run/session.hpp"

#include "base/units.hpp"
#include "deploy/run/clearance.hpp"
#include "deploy/run/destination.hpp"
#include "deploy/run/host_journal.hpp"
#include "deploy/run/operation.hpp"
#include "deploy/run/retention.hpp"
#include "deploy/run/revival.hpp"

#include <fmt/format.h>

namespace slipway::deploy {
namespace {

std::string_view operation_name(Action action) {
  return action == Action::deploy ? "deploy" : action == Action::resume ? "resume" : "rollback";
}

// Why there is nothing to deploy or to go back to.
ExitCode code_without_destination(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return ExitCode::usage;
    case ErrorKind::corrupt:
      return ExitCode::ambiguous;
    case ErrorKind::cancelled:
      return ExitCode::interrupted;
    case ErrorKind::not_found:
    case ErrorKind::unreachable:
    case ErrorKind::timeout:
      return ExitCode::unavailable;
    default:
      return ExitCode::failed;
  }
}

// Why what is to be deployed may not be.
ExitCode code_without_clearance(ErrorKind kind) {
  if (kind == ErrorKind::cancelled) return ExitCode::interrupted;
  return kind == ErrorKind::not_found ? ExitCode::unavailable : ExitCode::failed;
}

// Why what is there cannot be told.
ExitCode code_without_survey(ErrorKind kind) {
  if (kind == ErrorKind::usage) return ExitCode::usage;
  return kind == ErrorKind::corrupt ? ExitCode::ambiguous : ExitCode::failed;
}

bool should_serve_already(const Survey& found, const std::optional<Release>& current,
                          const Release& wanted) {
  return current && current->same_as(wanted) && found.on(*found.active).running &&
         found.switch_running;
}

}  // namespace

Result<void> Session::open_journal() {
  auto opened = open_host_journal(ports_, options_.read_only());
  if (!opened) return opened.error();
  journal_ = std::move(*opened);
  return {};
}

std::string Session::new_transaction_id() const {
  const std::uint64_t next =
      journal_->records().empty() ? 1 : journal_->records().back().sequence + 1;
  return fmt::format("t{}", next);
}

void Session::fill_running(Report& report) {
  report.actor = actor_;
  report.reason = options_.reason;
  report.seconds = seconds_since(ports_.clock, began_);
  auto found = survey(ports_);
  if (!found) return;
  report.serves = false;
  if (!found->active) return;
  const Ledger ledger(journal_ ? journal_->records() : std::vector<Record>{});
  report.running = release_serving(ports_, ledger, *found);
  report.running_colour = to_string(*found->active);
  report.serves = report.running && answers(ports_, *found->active, *report.running);
}

Report Session::refused(ExitCode code, const Error& error) {
  Report report = refusal(code, error);
  // A resume is run every minute and begins nothing: what it cannot mend is not written each time.
  const bool asked_for = !options_.read_only() && options_.action != Action::resume;
  if (journal_ && asked_for && report.exit_code != ExitCode::ambiguous) note(report);
  return report;
}

Report Session::refusal(ExitCode code, const Error& error) {
  Report report;
  report.operation = operation_name(options_.action);
  report.exit_code = code;
  report.message = error.what;
  report.next_step = error.remedy;
  report.started = format_utc(ports_.clock.utc());
  fill_running(report);
  // Status 3 tells a script that users are served.
  if (code == ExitCode::failed && report.running && report.serves == false) {
    report.exit_code = ExitCode::needs_human;
  }
  return report;
}

Report Session::not_begun(ExitCode code, const Error& error) {
  (void)open_journal();  // without it what runs is told all the same
  return refusal(code, error);
}

void Session::note(const Report& report) {
  (void)journal_->append(new_transaction_id(), format_utc(ports_.clock.utc()),
                         Brief{report.operation, options_.target, actor_, options_.reason,
                               static_cast<int>(report.exit_code), report.message});
}

Reality Session::look_at_reality(const OpenTransaction& open, const Survey& found) {
  const Plan& plan = open.plan;
  Reality reality;
  reality.candidate_alive =
      is_alive(ports_, plan.candidate, found.on(plan.candidate), plan.target, patience_of_recovery);
  reality.old_alive =
      plan.old && make_strategy(plan.strategy, ports_)
                      ->can_serve(plan.old_colour(), found.on(plan.old_colour()), *plan.old);
  if (!found.active) {
    reality.served = Served::nothing;
  } else {
    reality.served = *found.active == plan.candidate ? Served::candidate : Served::old;
  }
  return reality;
}

std::optional<Report> Session::recover_open(std::stop_token stop) {
  const Ledger ledger(journal_->records());
  auto found = survey(ports_);
  if (!found) {
    return refusal(code_without_survey(found.error().kind), found.error());
  }
  if (auto started = strategy_->finish_flip(*found); !started) {
    return refusal(ExitCode::needs_human, started.error());
  } else if (*started) {
    found = survey(ports_);
    if (!found) return refusal(ExitCode::failed, found.error());
  }
  if (!ledger.open()) {
    (void)ports_.traffic.agree();
    promote_serving(ports_, *found, ledger);
    return std::nullopt;
  }
  const OpenTransaction& open = *ledger.open();
  const Reality reality = look_at_reality(open, *found);
  const auto from = recover(open.plan.situation(), open.tail, reality);
  if (!from) {
    return refusal(ExitCode::ambiguous,
                   {ErrorKind::corrupt,
                    fmt::format("transaction {} was cut short and {} does not tell which version "
                                "serves",
                                open.id, ports_.traffic.words().record),
                    "see 'recover a broken host' in the operators' guide"});
  }
  if (!found->switch_running) {
    if (auto started = ports_.traffic.bring_up(services_on(ports_, *found), stop); !started) {
      return refusal(ExitCode::needs_human, started.error());
    }
  }
  return Operation(ports_, *journal_, {open.plan, open.id, began_}).resume(*from, {});
}

// What was taken back to may be dead, for a reason of its own.
void Session::bring_back(Report& report, std::stop_token stop) {
  auto found = survey(ports_);
  if (!found) return;
  auto revived = strategy_->bring_back(*found, Ledger(journal_->records()), std::move(stop));
  if (!revived) {
    report.warnings.push_back(revived.error().text());
  } else if (!revived->empty()) {
    report.message += fmt::format("; then {}", fmt::join(*revived, "; "));
    fill_running(report);
  }
}

Plan Session::make_plan(const Survey& found, const Ledger& ledger, const Release& target,
                        const std::optional<Release>& current) {
  Plan plan;
  plan.strategy = ports_.config.strategy;
  plan.rollback = options_.action == Action::rollback;
  plan.target = target;
  plan.old = current;
  plan.candidate = found.active ? other(*found.active) : Colour::blue;
  plan.actor = actor_;
  plan.reason = options_.reason;
  const Instance& spare = found.on(plan.candidate);
  const auto release = release_on(ports_, ledger, spare);
  // What an operation that failed could not remove was never proven.
  plan.warm = spare.running && release && release->same_as(target) && ledger.is_proven(*release);
  // Only what was proven is worth keeping warm.
  if (release && !plan.warm && ledger.is_proven(*release)) plan.displaced = release;
  return plan;
}

Report Session::run(std::stop_token stop) {
  auto opened = open_journal();
  if (!opened) {
    return refused(
        opened.error().kind == ErrorKind::unreachable ? ExitCode::failed : ExitCode::ambiguous,
        opened.error());
  }
  auto recovered = recover_open(stop);
  if (recovered && recovered->exit_code == ExitCode::ambiguous) return *recovered;
  if (recovered && options_.action == Action::resume) {
    bring_back(*recovered, stop);
    return *recovered;
  }
  const Ledger ledger(journal_->records());
  auto found = survey(ports_);
  if (!found) return refused(code_without_survey(found.error().kind), found.error());
  const auto current = release_serving(ports_, ledger, *found);
  if (options_.action == Action::resume) {
    auto revived = revive(ports_, *strategy_, *found, ledger, stop);
    if (!revived) return refused(ExitCode::needs_human, revived.error());
    return nothing_to_resume(ledger, *revived);
  }
  auto destination = find_destination(ports_, options_, ledger, *found, true, stop);
  if (!destination) {
    return refused(code_without_destination(destination.error().kind), destination.error());
  }
  const bool serves_already = should_serve_already(*found, current, destination->release);
  const bool answers_already =
      serves_already && answers(ports_, *found->active, *current, patience_with_serving);
  if (answers_already && !options_.force) {
    return nothing_to_change(*current, destination->release);
  }
  const Plan plan = make_plan(*found, ledger, destination->release, current);
  auto may = check_clearance(ports_, plan, ledger, options_.force);
  if (may) may = verify_image(ports_.config, plan, stop);
  if (!may) return refused(code_without_clearance(may.error().kind), may.error());
  Report report =
      Operation(ports_, *journal_, {plan, new_transaction_id(), began_, destination->snapshot})
          .run(stop);
  if (report.exit_code == ExitCode::done) {
    release_surplus(ports_, Ledger(journal_->records()), report.from);
  }
  if (serves_already && !answers_already) {
    report.warnings.push_back(
        fmt::format("{} should have served already and did not answer: it was started anew",
                    plan.target.describe()));
  }
  if (plan.rollback) warn_of_what_waits(report);
  if (plan.rollback && options_.target.empty() && ledger.is_retracted(plan.target)) {
    report.warnings.push_back(
        fmt::format("{} was rolled back from before, and was chosen because what served is dead; "
                    "'rollback VERSION' goes to another",
                    plan.target.describe()));
  }
  return report;
}

// What the configuration says and what does not stand in the way is told all the same.
void Session::warn_of_what_waits(Report& report) {
  if (!ports_.traffic.running()) return;
  if (auto current = ports_.traffic.check_current(); !current) {
    report.warnings.push_back(current.error().text());
  }
}

Report Session::nothing_to_change(const Release& current, const Release& asked) {
  Report report;
  report.operation = operation_name(options_.action);
  report.message = fmt::format("{} serves already; nothing was changed", asked.describe());
  fill_running(report);
  report.from = report.to = current;
  warn_of_what_waits(report);
  return report;
}

Report Session::nothing_to_resume(const Ledger& ledger, const std::vector<std::string>& done) {
  Report report;
  report.operation = operation_name(options_.action);
  report.began_nothing = done.empty();
  report.message =
      done.empty() ? "there is nothing to resume" : fmt::format("{}", fmt::join(done, "; "));
  fill_running(report);
  if (!report.running) {
    tell_of_what_is_gone(report, ledger);
    return report;
  }
  const auto colour = parse_colour(report.running_colour);
  report.serves = answers(ports_, *colour, *report.running) || answers_after_a_while(ledger);
  if (*report.serves) {
    if (!done.empty()) note(report);
    return report;
  }
  report.exit_code = ExitCode::needs_human;
  report.message +=
      fmt::format(", and {}, which should serve, does not answer", report.running->describe());
  report.next_step =
      fmt::format("'rollback' goes to the version before; 'rollback {}' starts this one anew",
                  report.running->digest);
  return report;
}

// Where nothing is on the colour that should serve. It is not made anew: somebody may have removed
// it on purpose.
void Session::tell_of_what_is_gone(Report& report, const Ledger& ledger) {
  if (ledger.proven().empty() || !report.serves) return;  // nothing ever served, or nobody can see
  const Release& gone = ledger.proven().front();
  report.exit_code = ExitCode::needs_human;
  report.message +=
      fmt::format(", and {}, which should serve, is not on this host any more", gone.describe());
  report.next_step = fmt::format("'rollback {}' starts it anew", gone.digest);
}

// After a reboot what serves may just be starting, and one with roles is a standby then.
bool Session::answers_after_a_while(const Ledger& ledger) {
  const auto found = survey(ports_);
  const auto release = found ? release_serving(ports_, ledger, *found) : std::nullopt;
  if (!release) return false;
  const Colour colour = *found->active;
  if (!is_alive(ports_, colour, found->on(colour), *release, patience_of_recovery)) return false;
  promote_serving(ports_, *found, ledger);
  return answers(ports_, colour, *release, patience_of_recovery);
}

Report Session::dry_run() {
  if (auto opened = open_journal(); !opened) return refused(ExitCode::ambiguous, opened.error());
  const Ledger ledger(journal_->records());
  auto found = survey(ports_);
  if (!found) return refused(code_without_survey(found.error().kind), found.error());
  if (options_.action == Action::resume) return dry_resume(*found, ledger);
  const auto current = release_serving(ports_, ledger, *found);
  auto destination =
      find_destination(ports_, options_, ledger, *found, ports_.engine.pull_only_asks(), {});
  if (!destination) {
    return refused(code_without_destination(destination.error().kind), destination.error());
  }
  if (!options_.force && should_serve_already(*found, current, destination->release) &&
      answers(ports_, *found->active, *current, patience_with_serving)) {
    return nothing_to_change(*current, destination->release);
  }
  const Plan plan = make_plan(*found, ledger, destination->release, current);
  // All but the command that verifies, which may need what is not pulled.
  if (auto may = check_clearance(ports_, plan, ledger, options_.force); !may) {
    return refused(code_without_clearance(may.error().kind), may.error());
  }
  Report report;
  report.operation = operation_name(options_.action);
  fill_running(report);
  report.from = current;
  report.to = destination->release;
  report.warm = plan.warm;
  const std::string to =
      destination->release.empty() ? options_.target : destination->release.describe();
  report.message = fmt::format(
      "would {} from {} to {} on {} ({}){}{}", report.operation,
      current ? current->describe() : "nothing", to, to_string(plan.candidate),
      plan.warm ? "warm" : "started anew",
      destination->release.snapshot.empty() ? "; it is not here: only a deploy can look at it" : "",
      ledger.open() ? fmt::format(", after resuming transaction {}", ledger.open()->id) : "");
  return report;
}

Report Session::dry_resume(const Survey& found, const Ledger& ledger) {
  Report report;
  report.operation = operation_name(options_.action);
  fill_running(report);
  std::vector<std::string> would;
  if (const auto& open = ledger.open()) {
    would.push_back(fmt::format("go on with transaction {} ({} of {}), cut short at {}", open->id,
                                open->plan.rollback ? "rollback" : "deploy",
                                open->plan.target.describe(), to_string(open->tail.at.step)));
  }
  if (found.active && !found.switch_running) {
    would.push_back(fmt::format("start {}", ports_.traffic.words().name));
  }
  if (report.running && !found.on(*found.active).running) {
    would.push_back(fmt::format("start {} on {}, which does not run", report.running->describe(),
                                report.running_colour));
  }
  report.message = would.empty() ? "there is nothing to resume"
                                 : fmt::format("would {}", fmt::join(would, "; "));
  if (!report.running && !ledger.open()) tell_of_what_is_gone(report, ledger);
  return report;
}

Result<HostStatus> Session::status() {
  if (auto opened = open_journal(); !opened) return opened.error();
  return host_status(ports_, Ledger(journal_->records()));
}

Result<Ledger> Session::history() {
  if (auto opened = open_journal(); !opened) return opened.error();
  return Ledger(journal_->records());
}

}  // namespace slipway::deploy
