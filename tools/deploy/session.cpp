#include "deploy/session.hpp"

#include "base/process.hpp"
#include "base/units.hpp"
#include "deploy/preflight.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::chrono::seconds patience_of_recovery{10};

std::filesystem::path journal_file(const Config& config) {
  return config.state_directory / "journal";
}

std::string_view operation_name(Action action) {
  return action == Action::deploy ? "deploy" : action == Action::resume ? "resume" : "rollback";
}

std::string known_versions(const Ledger& ledger, const std::optional<Release>& current) {
  std::string list;
  for (const Release& release : ledger.proven()) {
    list += list.empty() ? "" : ", ";
    list += release.describe();
    if (current && release.same_as(*current)) list += " (running)";
  }
  return list.empty() ? "no version is known on this host" : "known versions: " + list;
}

}  // namespace

std::string Session::new_transaction_id() const {
  const std::uint64_t next =
      journal_->records().empty() ? 1 : journal_->records().back().sequence + 1;
  return fmt::format("t{}", next);
}

void Session::fill_running(Report& report) {
  report.actor = actor_;
  report.reason = options_.reason;
  report.seconds = std::chrono::duration<double>(world_.clock.now() - began_).count();
  auto found = survey(world_);
  if (!found || !found->active) return;
  const Ledger ledger(journal_ ? journal_->records() : std::vector<Record>{});
  report.running = release_on(world_, ledger, found->on(*found->active));
  report.running_colour = to_string(*found->active);
}

Report Session::refused(ExitCode code, const Error& error) {
  Report report;
  report.operation = operation_name(options_.action);
  report.exit_code = code;
  report.message = error.what;
  report.next_step = error.remedy;
  report.started = format_utc(world_.clock.utc());
  fill_running(report);
  if (journal_ && !options_.read_only() && code != ExitCode::ambiguous) {
    (void)journal_->append("refused", new_transaction_id(), format_utc(world_.clock.utc()),
                           {{"operation", report.operation},
                            {"target", options_.target},
                            {"actor", actor_},
                            {"reason", options_.reason},
                            {"exitCode", static_cast<int>(code)},
                            {"message", report.message}});
  }
  return report;
}

Result<void> Session::open_journal() {
  auto opened = Journal::open(journal_file(world_.config));
  if (!opened) {
    if (opened.error().kind != ErrorKind::corrupt || options_.read_only()) return opened.error();
    return rebuild(opened.error().what);
  }
  journal_ = std::move(*opened);
  if (!journal_->records().empty() || options_.read_only()) return {};
  auto found = survey(world_);
  // A host on which nothing of ours runs yet needs no rebuilding, nor does one that cannot be
  // looked at: the operation itself will say so.
  if (!found || (!found->active && !found->blue.exists && !found->green.exists)) return {};
  return rebuild("there is no journal");
}

// From labels: what serves now is proven by serving, what is held was proven when it was held.
Result<void> Session::rebuild(const std::string& why) {
  const Error ambiguous{ErrorKind::corrupt,
                        fmt::format("{}, and what runs does not tell which version serves", why),
                        "see 'recover a broken host' in the operators' guide"};
  auto found = survey(world_);
  if (!found) return found.error();
  auto held = world_.engine.held();
  if (!held) return held.error();
  const Ledger nothing({});
  std::vector<Release> releases = *held;
  if (found->active) {
    const Instance& serving = found->on(*found->active);
    const Instance& spare = found->on(other(*found->active));
    if (!serving.running || serving.digest.empty()) return ambiguous;
    if (auto release = release_on(world_, nothing, spare)) releases.push_back(*release);
    auto current = release_on(world_, nothing, serving);
    if (!current || current->revision.empty()) return ambiguous;
    releases.push_back(*current);
  } else if (found->blue.running || found->green.running) {
    return ambiguous;
  }
  if (std::filesystem::exists(journal_file(world_.config))) {
    auto aside = Journal::set_aside(journal_file(world_.config));
    if (!aside) return aside.error();
  }
  auto fresh = Journal::open(journal_file(world_.config));
  if (!fresh) return fresh.error();
  journal_ = std::move(*fresh);
  nlohmann::json list = nlohmann::json::array();
  for (const Release& release : releases) list.push_back(to_json(release));
  return journal_->append("rebuilt", "", format_utc(world_.clock.utc()),
                          {{"why", why}, {"releases", list}});
}

Reality Session::look_at_reality(const OpenTransaction& open, const Survey& found) {
  const Plan& plan = open.plan;
  Reality reality;
  reality.candidate_alive =
      is_alive(world_, plan.candidate, found.on(plan.candidate), plan.target, patience_of_recovery);
  reality.old_alive = plan.old && is_alive(world_, plan.old_colour(), found.on(plan.old_colour()),
                                           *plan.old, patience_of_recovery);
  if (!found.active) {
    reality.served = Served::nothing;
  } else {
    reality.served = *found.active == plan.candidate ? Served::candidate : Served::old;
  }
  return reality;
}

// After a crash or a reboot the serving colour comes back as a standby: it serves, but dials no
// peer until it is told to.
void Session::reconcile_roles(const Survey& found, const Ledger& ledger) {
  if (!found.active || !found.on(*found.active).running) return;
  const auto release = release_on(world_, ledger, found.on(*found.active));
  const auto answer = world_.health.ask(*found.active, world_.config.gate.timeout);
  if (!release || objection(answer, release->revision) || answer->role == "active") return;
  (void)world_.engine.send_signal(*found.active, SIGUSR2);
}

std::optional<Report> Session::recover_open(std::stop_token stop) {
  const Ledger ledger(journal_->records());
  auto found = survey(world_);
  if (!found) {
    return refused(
        found.error().kind == ErrorKind::corrupt ? ExitCode::ambiguous : ExitCode::failed,
        found.error());
  }
  if (!ledger.open()) {
    (void)world_.proxy.agree();
    reconcile_roles(*found, ledger);
    return std::nullopt;
  }
  const OpenTransaction& open = *ledger.open();
  const Reality reality = look_at_reality(open, *found);
  const auto from = recover(open.plan.situation(), open.tail, reality);
  if (!from) {
    return refused(ExitCode::ambiguous,
                   {ErrorKind::corrupt,
                    fmt::format("transaction {} was cut short and HAProxy's map does not tell "
                                "which version serves",
                                open.id),
                    "see 'recover a broken host' in the operators' guide"});
  }
  if (!found->proxy_running) {
    if (auto started = world_.engine.start_proxy(stop); !started) {
      return refused(ExitCode::needs_human, started.error());
    }
  }
  Operation operation(world_, *journal_, open.plan, open.id, began_);
  return operation.resume(*from, {});
}

Result<Session::Target> Session::target_of_deploy(bool may_pull, std::stop_token stop) {
  auto reference = parse_reference(options_.target);
  if (!reference) return reference.error();
  Target target;
  auto snapshot = read_snapshot(world_.config);
  if (!snapshot) return snapshot.error();
  target.snapshot = std::move(*snapshot);
  Release wanted;
  wanted.repository = reference->repository;
  wanted.tag = reference->tag;
  wanted.digest = reference->digest;
  // A digest that is here needs no network.
  Result<Release> found = Error{ErrorKind::not_found, "not here", {}};
  if (!wanted.digest.empty()) found = world_.engine.find_local(wanted);
  if (!found && may_pull) found = world_.engine.pull(*reference, stop);
  if (!found && may_pull) return found.error();
  target.release = found ? *found : wanted;
  target.release.snapshot = target.snapshot.hash;
  if (found && target.release.revision.empty()) {
    return Error{ErrorKind::failed,
                 fmt::format("{} has no label org.opencontainers.image.revision", options_.target),
                 "build the image with scripts/ or set the label: health is compared with it"};
  }
  return target;
}

Result<Session::Target> Session::target_of_rollback(const Ledger& ledger,
                                                    const std::optional<Release>& current,
                                                    bool may_pull, std::stop_token stop) {
  const auto chosen =
      options_.target.empty() ? ledger.rollback_target(current) : ledger.find(options_.target);
  if (!chosen) {
    const std::string what = options_.target.empty()
                                 ? std::string("there is no earlier version proven healthy")
                                 : fmt::format("no version '{}' is known", options_.target);
    return Error{ErrorKind::not_found, what + " on this host; " + known_versions(ledger, current),
                 "deploy the version that is wanted"};
  }
  Target target{*chosen, {}};
  if (options_.image_only) {
    auto snapshot = read_snapshot(world_.config);
    if (!snapshot) return snapshot.error();
    target.snapshot = std::move(*snapshot);
    target.release.snapshot = target.snapshot.hash;
  }
  auto found = world_.engine.find_local(target.release);
  if (!found && may_pull) {
    const Reference by_digest{chosen->repository, chosen->tag, chosen->digest};
    found = world_.engine.pull(by_digest, stop);
    if (!found) {
      return Error{ErrorKind::not_found,
                   fmt::format("the image {} is not on this host any more, and {}",
                               chosen->describe(), found.error().what),
                   known_versions(ledger, current)};
    }
    target.release.image_id = found->image_id;
  }
  return target;
}

Result<Session::Target> Session::find_target(const Ledger& ledger,
                                             const std::optional<Release>& current, bool may_pull,
                                             std::stop_token stop) {
  if (options_.action == Action::deploy) {
    auto target = target_of_deploy(may_pull, std::move(stop));
    if (!target && target.error().kind == ErrorKind::not_found) {
      Error error = target.error();
      error.remedy = known_versions(ledger, current);
      return error;
    }
    return target;
  }
  return target_of_rollback(ledger, current, may_pull, std::move(stop));
}

Plan Session::make_plan(const Survey& found, const Ledger& ledger, const Release& target,
                        const std::optional<Release>& current) {
  Plan plan;
  plan.rollback = options_.action == Action::rollback;
  plan.target = target;
  plan.old = current;
  plan.candidate = found.active ? other(*found.active) : Colour::blue;
  plan.actor = actor_;
  plan.reason = options_.reason;
  const Instance& spare = found.on(plan.candidate);
  const auto release = release_on(world_, ledger, spare);
  plan.warm = spare.running && release && release->same_as(target);
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
  if (recovered &&
      (options_.action == Action::resume || recovered->exit_code == ExitCode::ambiguous)) {
    return *recovered;
  }
  const Ledger ledger(journal_->records());
  auto found = survey(world_);
  if (!found) return refused(ExitCode::failed, found.error());
  const std::optional<Release> current =
      found->active ? release_on(world_, ledger, found->on(*found->active)) : std::nullopt;
  Report report;
  report.operation = operation_name(options_.action);
  if (options_.action == Action::resume) {
    report.message = "there is nothing to resume";
    fill_running(report);
    return report;
  }
  auto target = find_target(ledger, current, true, stop);
  if (!target) {
    const ErrorKind kind = target.error().kind;
    const ExitCode code = kind == ErrorKind::cancelled ? ExitCode::interrupted
                          : kind == ErrorKind::not_found || kind == ErrorKind::unreachable ||
                                  kind == ErrorKind::timeout
                              ? ExitCode::unavailable
                              : ExitCode::failed;
    return refused(code, target.error());
  }
  const bool serves_already = current && current->same_as(target->release) &&
                              found->on(*found->active).running && found->proxy_running;
  if (serves_already && !options_.force) {
    report.message =
        fmt::format("{} serves already; nothing was changed", target->release.describe());
    fill_running(report);
    report.from = report.to = current;
    return report;
  }
  const Plan plan = make_plan(*found, ledger, target->release, current);
  if (auto may = may_run(plan, stop); !may) {
    return refused(
        may.error().kind == ErrorKind::not_found ? ExitCode::unavailable : ExitCode::failed,
        may.error());
  }
  Operation operation(world_, *journal_, plan, new_transaction_id(), began_);
  report = operation.run(target->snapshot, stop);
  if (report.exit_code == ExitCode::done) let_go_of_surplus(report);
  return report;
}

// What speaks against an operation before anything is touched.
Result<void> Session::may_run(const Plan& plan, std::stop_token stop) {
  const Config& config = world_.config;
  const std::uint64_t needed = config.minimum_free_mb << 20;
  if (auto space = check_free_space(config.state_directory, needed); !space) return space;
  // A warm colour needs no room, and going back must not fail for lack of it.
  if (auto storage = world_.engine.storage_directory(); storage && !plan.warm) {
    std::error_code ignored;
    if (std::filesystem::exists(*storage, ignored)) {
      if (auto space = check_free_space(*storage, needed); !space) return space;
    }
  }
  if (plan.rollback && plan.old && !options_.force && !plan.old->oldest_return.empty() &&
      older(plan.target.version, plan.old->oldest_return)) {
    return Error{ErrorKind::failed,
                 fmt::format("{} cannot be rolled back further than to {}, and {} is older",
                             plan.old->describe(), plan.old->oldest_return, plan.target.describe()),
                 "roll back to a newer version, or give --force if its data allow it"};
  }
  if (config.verify_command.empty()) return {};
  Command command{.argv = config.verify_command, .deadline = config.step_deadline};
  const std::string image = plan.target.repository + "@" + plan.target.digest;
  for (std::string& word : command.argv) {
    if (const auto place = word.find("{image}"); place != std::string::npos) {
      word.replace(place, 7, image);
    }
  }
  auto verified = run_command(command, stop);
  if (verified && verified->exit_status == 0) return {};
  return Error{
      ErrorKind::not_found,
      fmt::format("{} is not verified: {}", image,
                  verified ? fmt::format("{} exits {}: {}", command.argv[0], verified->exit_status,
                                         verified->err.substr(0, 400))
                           : verified.error().text()),
      "deploy only images that this pipeline signed"};
}

// The disk policy: the newest releases stay, and whatever runs or waits on a colour.
void Session::let_go_of_surplus(const Report& report) {
  const Ledger ledger(journal_->records());
  auto found = survey(world_);
  auto held = world_.engine.held();
  if (!found || !held) return;
  const auto& proven = ledger.proven();
  for (const Release& release : *held) {
    const auto keep =
        proven.begin() + std::min<std::ptrdiff_t>(world_.config.keep_releases, std::ssize(proven));
    const bool recent = std::any_of(
        proven.begin(), keep, [&](const Release& that) { return that.digest == release.digest; });
    const bool used = found->blue.digest == release.digest ||
                      found->green.digest == release.digest ||
                      (report.from && report.from->digest == release.digest);
    if (!recent && !used) (void)world_.engine.let_go(release);
  }
}

Report Session::dry_run() {
  if (auto opened = open_journal(); !opened) return refused(ExitCode::ambiguous, opened.error());
  const Ledger ledger(journal_->records());
  auto found = survey(world_);
  if (!found) return refused(ExitCode::failed, found.error());
  const std::optional<Release> current =
      found->active ? release_on(world_, ledger, found->on(*found->active)) : std::nullopt;
  auto target = find_target(ledger, current, false, {});
  if (!target) return refused(ExitCode::unavailable, target.error());
  const Plan plan = make_plan(*found, ledger, target->release, current);
  Report report;
  report.operation = operation_name(options_.action);
  fill_running(report);
  report.from = current;
  report.to = target->release;
  report.warm = plan.warm;
  const std::string to = target->release.empty() ? options_.target : target->release.describe();
  report.message = fmt::format(
      "would {} from {} to {} on {} ({}){}", report.operation,
      current ? current->describe() : "nothing", to, to_string(plan.candidate),
      plan.warm ? "warm" : "started anew",
      ledger.open() ? fmt::format(", after resuming transaction {}", ledger.open()->id) : "");
  return report;
}

Result<HostStatus> Session::status() {
  using nlohmann::json;
  if (auto opened = open_journal(); !opened) return opened.error();
  const Ledger ledger(journal_->records());
  auto found = survey(world_);
  if (!found) return found.error();
  const auto colour_json = [&](Colour colour) -> json {
    const Instance& instance = found->on(colour);
    const auto release = release_on(world_, ledger, instance);
    if (!release) return nullptr;
    json side = to_json(*release);
    side["colour"] = to_string(colour);
    side["started"] = instance.running;
    side["restarts"] = instance.restart_count;
    const auto answer = world_.health.ask(colour, world_.config.gate.timeout);
    const auto wrong = objection(answer, release->revision);
    side["healthy"] = instance.running && !wrong && answer->status == 200;
    side["role"] = answer ? answer->role : "";
    side["ready"] = answer && answer->ready;
    if (wrong) side["objection"] = *wrong;
    return side;
  };
  json proven = json::array();
  for (const Release& release : ledger.proven()) proven.push_back(to_json(release));
  json status = {{"schemaVersion", 1}, {"proxyRunning", found->proxy_running},
                 {"running", nullptr}, {"standby", nullptr},
                 {"healthy", false},   {"open", nullptr},
                 {"proven", proven}};
  if (found->active) {
    status["running"] = colour_json(*found->active);
    status["standby"] = colour_json(other(*found->active));
    status["healthy"] = found->proxy_running && status["running"].is_object() &&
                        status["running"]["healthy"] == true && status["running"]["ready"] == true;
  }
  if (ledger.open()) {
    status["open"] = {{"transaction", ledger.open()->id},
                      {"step", to_string(ledger.open()->tail.at.step)},
                      {"attempts", ledger.open()->tail.attempts},
                      {"plan", to_json(ledger.open()->plan)}};
  }
  return HostStatus{std::move(status)};
}

Result<std::vector<HistoryEntry>> Session::history() {
  if (auto opened = open_journal(); !opened) return opened.error();
  return Ledger(journal_->records()).history();
}

}  // namespace slipway::deploy
