#include "deploy/cli/app.hpp"

#include "base/command_line.hpp"
#include "base/foreign_text.hpp"
#include "base/units.hpp"
#include "deploy/cli/actor.hpp"
#include "deploy/cli/lock_taking.hpp"
#include "deploy/cli/metrics_file.hpp"
#include "deploy/cli/migration.hpp"
#include "deploy/cli/platforms.hpp"
#include "deploy/cli/report_output.hpp"
#include "deploy/cli/status_text.hpp"
#include "deploy/cli/trace_sender.hpp"
#include "deploy/cli/webhook.hpp"
#include "deploy/cli/worker.hpp"
#include "deploy/kubernetes/access.hpp"
#include "deploy/run/failpoint.hpp"
#include "deploy/run/http_health.hpp"
#include "deploy/run/session.hpp"

#include <algorithm>
#include <iostream>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

int fail(const std::string& program, const Error& error, ExitCode code) {
  print_error(program, error.text());
  return static_cast<int>(code);
}

// What runs is told, too: whoever reads the last line of stdout asked for that.
int fail_and_tell(Session& session, const Options& options, const std::string& program,
                  const Error& error, ExitCode code) {
  const Report report = session.not_begun(code, error);
  print_error(program, error.text());
  std::cout << (options.json ? to_json_text(report) : running_line(report)) << '\n';
  return static_cast<int>(report.exit_code);
}

// Under the lock: the work itself.
int work(Ports& ports, Session& session, const Options& options, const std::string& program,
         Lock& lock, std::stop_token stop) {
  ports.failpoint = failpoint_from_environment();
  ports.progress = [&](Step step, const StepReport* ended) {
    if (ended == nullptr) {
      lock.note_step(std::string(to_string(step)));
    } else {
      std::cerr << fmt::format("{}: {:7.3f} s  {}: {}{}{}\n", program, ended->at_s + ended->seconds,
                               ended->name, ended->event, ended->detail.empty() ? "" : ": ",
                               ended->detail);
    }
  };
  const Report report = session.run(stop);
  print_report(report, options, program);
  write_report(report, options, program);
  write_metrics(report, session.history(), ports.config, program);
  send_trace(report, ports.config, program);
  call_webhook(report, ports.config, program);
  return static_cast<int>(report.exit_code);
}

int show(const Ledger& ledger, const Options& options, const std::string& program) {
  const auto found = ledger.operation(options.show);
  if (!found) {
    return fail(program,
                {ErrorKind::not_found,
                 fmt::format("no operation '{}' is in the journal", foreign_line(options.show, 80)),
                 "'rollback --history' lists them"},
                ExitCode::unavailable);
  }
  const bool words = !is_forced_command();
  std::cout << (options.json ? operation_json(*found, words) : operation_lines(*found, words));
  return 0;
}

// What changes nothing, and needs no lock.
int look(Ports& ports, Session& session, const Options& options, const std::string& program,
         std::stop_token stop) {
  if (options.action == Action::status) {
    const bool ended = !options.wait || follow_current(ports.config.state_directory / "run",
                                                       ports.store, options.timeout, stop);
    const auto status = session.status();
    if (!status) return fail(program, status.error(), ExitCode::ambiguous);
    const auto holder = ports.store.lock_holder();
    std::cout << (options.json ? status_json(*status, holder) : status_lines(*status, holder));
    if (!ended && holder) {
      return fail(program,
                  {ErrorKind::busy, "still at work: " + holder->describe(),
                   "wait longer, or see 'rollback --break-lock' in the operators' guide"},
                  ExitCode::locked);
    }
    return static_cast<int>(status->should_serve() && !status->healthy() ? ExitCode::not_serving
                                                                         : ExitCode::done);
  }
  if (options.action == Action::history || options.action == Action::show) {
    const auto ledger = session.history();
    if (!ledger) return fail(program, ledger.error(), ExitCode::ambiguous);
    if (options.action == Action::show) return show(*ledger, options, program);
    std::cout << (options.json ? history_json(ledger->history())
                               : history_lines(ledger->history(), ledger->forgotten()));
    return 0;
  }
  const Report report = session.dry_run();
  print_report(report, options, program);
  return static_cast<int>(report.exit_code);
}

int migrate(const Options& options, const std::string& program) {
  const auto done = migrate_config(options.config_file);
  if (!done) {
    const ErrorKind kind = done.error().kind;
    return fail(program, done.error(),
                kind == ErrorKind::busy ? ExitCode::locked
                : kind == ErrorKind::io ? ExitCode::failed
                                        : ExitCode::usage);
  }
  for (const std::string& line : *done) std::cout << program << ": " << line << '\n';
  return static_cast<int>(ExitCode::done);
}

ExitCode code_without_lock(ErrorKind kind) {
  return kind == ErrorKind::busy ? ExitCode::locked : ExitCode::failed;
}

Result<void> prepare(Platform& platform) {
  if (auto prepared = platform.store->prepare(); !prepared) return prepared;
  return platform.traffic->prepare();
}

}  // namespace

int run(const Options& options, const std::string& program, std::stop_token stop) {
  if (options.migrate_config) return migrate(options, program);
  if (options.print_access) {
    std::cout << access_as_rules() << '\n';
    return static_cast<int>(ExitCode::done);
  }
  if (const auto old = refusal_of_old(options.config_file)) {
    return fail(program, *old, ExitCode::usage);
  }
  auto config = read_config(options.config_file);
  if (!config) return fail(program, config.error(), ExitCode::usage);
  if (auto url = check_traces_url(*config); !url)
    return fail(program, url.error(), ExitCode::usage);
  Patience patience{.tell = [&](const std::string& what) { print_warning(program, what); }};
  if (options.timeout) patience.longest = std::min(patience.longest, *options.timeout);
  auto platform = make_platform(*config, patience);
  if (!platform) return fail(program, platform.error(), ExitCode::usage);
  Store& store = *platform->store;
  HttpHealth health(*platform->engine, !is_forced_command());
  SystemClock clock;
  Ports ports{*config, *platform->engine, *platform->traffic, store, health, clock};
  ports.shows_words = !is_forced_command();
  if (options.timeout) ports.longest_proof = *options.timeout;
  const std::string actor = actor_name();
  Session session(ports, options, actor);
  if (options.read_only()) return look(ports, session, options, program, stop);

  const LockOwner owner{::getpid(), fmt::format("{} {}", program, options.target), actor,
                        format_utc(clock.utc()), ""};
  if (!options.worker_lock.empty()) {
    const auto lock = store.adopt_lock(options.worker_lock);
    if (!lock) return fail(program, lock.error(), code_without_lock(lock.error().kind));
    (*lock)->note_owner(owner);
    return work(ports, session, options, program, **lock, stop);
  }
  if (auto prepared = prepare(*platform); !prepared) {
    return fail_and_tell(session, options, program, prepared.error(), ExitCode::failed);
  }
  std::optional<LockOwner> ended;
  if (!options.break_lock.empty()) {
    auto broken = store.end_lock_holder();
    if (!broken) return fail(program, broken.error(), ExitCode::locked);
    ended = std::move(*broken);
  }
  auto lock = take_lock(store, options, owner, stop);
  if (!lock) {
    return fail_and_tell(session, options, program, lock.error(),
                         code_without_lock(lock.error().kind));
  }
  if (ended) {
    if (auto noted = note_broken_lock(store, *ended, actor, options.break_lock); !noted) {
      return fail(program, noted.error(), ExitCode::failed);
    }
  }
  return start_and_follow(config->state_directory / "run", std::move(*lock), program, stop);
}

}  // namespace slipway::deploy
