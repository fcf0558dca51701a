#include "deploy/cli/app.hpp"

#include "base/command_line.hpp"
#include "base/durable_file.hpp"
#include "base/process.hpp"
#include "base/units.hpp"
#include "deploy/cli/worker.hpp"
#include "deploy/docker/docker_engine.hpp"
#include "deploy/docker/http_health.hpp"
#include "deploy/docker/solo_switch.hpp"
#include "deploy/haproxy/haproxy.hpp"
#include "deploy/run/failpoint.hpp"
#include "deploy/run/session.hpp"
#include "deploy/state/lock.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Who asked, from where: for the audit log and for whoever finds the lock taken.
std::string actor_name() {
  std::string who = environment_value("SLIPWAY_ACTOR");
  for (const char* name : {"SUDO_USER", "LOGNAME", "USER"}) {
    if (who.empty()) who = environment_value(name);
  }
  if (who.empty()) who = fmt::format("uid {}", ::getuid());
  const std::string connection = environment_value("SSH_CONNECTION");
  if (!connection.empty()) who += " from " + connection.substr(0, connection.find(' '));
  return who;
}

Result<void> prepare_state(const Config& config, Haproxy& proxy) {
  std::error_code failed;
  std::filesystem::create_directories(config.state_directory, failed);
  if (failed) {
    return Error{
        ErrorKind::io,
        fmt::format("cannot make {}: {}", config.state_directory.string(), failed.message()),
        "run as root, or correct stateDir"};
  }
  // HAProxy's user must reach its folders below; everything of ours in here is 0600 or 0700.
  if (::chmod(config.state_directory.c_str(), 0711) != 0) {
    return io_error("cannot set the mode of", config.state_directory.string(), errno);
  }
  return proxy.prepare();
}

// The lock, at once or within the time to queue.
Result<Lock> take_lock(const Config& config, const Options& options, const LockOwner& owner,
                       std::stop_token stop) {
  SystemClock clock;
  const auto give_up =
      clock.now() + options.timeout.value_or(std::chrono::nanoseconds(std::chrono::minutes(10)));
  for (;;) {
    auto lock = Lock::acquire(config.state_directory / "lock", owner);
    const bool again = !lock && lock.error().kind == ErrorKind::busy && options.wait &&
                       clock.now() < give_up && !stop.stop_requested();
    if (!again) return lock;
    clock.sleep_for(std::chrono::milliseconds(200), stop);
  }
}

void print_report(const Report& report, const Options& options, const std::string& program) {
  if (options.json) {
    std::cout << to_json_text(report) << '\n';
    return;
  }
  for (const std::string& warning : report.warnings) print_warning(program, warning);
  if (report.exit_code == ExitCode::done) {
    std::cout << report.operation << ": " << report.message << '\n';
  } else {
    print_error(program, report.message);
    std::cout << report.operation << ": " << meaning(report) << '\n';
    if (!report.next_step.empty()) std::cout << "next: " << report.next_step << '\n';
  }
  std::cout << running_line(report) << '\n';
}

int print_status(Session& session, const Config& config, const Options& options,
                 const std::string& program) {
  auto answer = session.status();
  if (!answer) {
    print_error(program, answer.error().text());
    return static_cast<int>(ExitCode::ambiguous);
  }
  nlohmann::json& status = answer->document;
  const auto holder = Lock::holder(config.state_directory / "lock");
  status["lock"] = nullptr;
  if (holder) {
    status["lock"] = {{"pid", holder->pid},
                      {"operation", holder->operation},
                      {"actor", holder->actor},
                      {"since", holder->since},
                      {"step", holder->step}};
  }
  if (options.json) {
    std::cout << status.dump() << '\n';
    return 0;
  }
  std::cout << "in progress: " << (holder ? holder->describe() : std::string("nothing")) << '\n';
  if (!holder && !status["open"].is_null()) {
    std::cout << "cut short: transaction " << status["open"]["transaction"].get<std::string>()
              << "; run 'rollback --resume'\n";
  }
  for (const auto& release : status["proven"]) {
    std::cout << "proven: " << release_from_json(release).describe() << '\n';
  }
  const auto& running = status["running"];
  const auto& standby = status["standby"];
  if (standby.is_object()) {
    std::cout << "standby: " << release_from_json(standby).describe() << " ("
              << standby.value("colour", "") << ", "
              << (standby.value("started", false) ? standby.value("role", "") : "stopped") << ")\n";
  }
  std::cout << "healthy: " << (status["healthy"] == true ? "yes" : "no") << '\n';
  std::optional<Release> release;
  if (running.is_object()) release = release_from_json(running);
  std::cout << running_line(release, running.is_object() ? running.value("colour", "") : "")
            << '\n';
  return 0;
}

int print_history(Session& session, const Options& options, const std::string& program) {
  auto history = session.history();
  if (!history) {
    print_error(program, history.error().text());
    return static_cast<int>(ExitCode::ambiguous);
  }
  nlohmann::json list = nlohmann::json::array();
  for (const HistoryEntry& entry : *history) {
    list.push_back({{"transaction", entry.transaction},
                    {"time", entry.time},
                    {"operation", entry.operation},
                    {"actor", entry.actor},
                    {"reason", entry.reason},
                    {"target", entry.target},
                    {"from", entry.from},
                    {"exitCode", entry.exit_code}});
    if (options.json) continue;
    std::cout << fmt::format("{}  {:<8} exit {:<3} {}{}  by {}{}\n", entry.time, entry.operation,
                             entry.exit_code, entry.target,
                             entry.from.empty() ? "" : " from " + entry.from, entry.actor,
                             entry.reason.empty() ? "" : ": " + entry.reason);
  }
  if (options.json) std::cout << list.dump() << '\n';
  return 0;
}

void write_report(const Report& report, const Options& options, const std::string& program) {
  if (options.report_file.empty()) return;
  const bool markdown = std::filesystem::path(options.report_file).extension() == ".md";
  const std::string text = markdown ? to_markdown(report) : to_json_text(report, 2) + "\n";
  if (auto written = write_durably(options.report_file, text); !written) {
    print_warning(program, written.error().text());
  }
}

// Hands the report to the webhook. Its address may hold a secret: it goes into a file that only
// we read, never into an argument list, and a failure says no more than that it failed.
void call_webhook(const Report& report, const Config& config, const std::string& program) {
  if (config.webhook.empty()) return;
  const auto curl_config = config.state_directory / "webhook.curl";
  const auto body = config.state_directory / "webhook.json";
  const std::string lines = fmt::format(
      "url = \"{}\"\nrequest = POST\nheader = \"Content-Type: application/json\"\n"
      "data-binary = \"@{}\"\nsilent\nfail\nmax-time = 10\n",
      config.webhook, body.string());
  const bool sent = write_durably(curl_config, lines, 0600) &&
                    write_durably(body, to_json_text(report), 0600) && [&] {
                      auto done = run_command({.argv = {"curl", "--config", curl_config.string()},
                                               .deadline = std::chrono::seconds(15)});
                      return done && done->exit_status == 0;
                    }();
  if (!sent) print_warning(program, "the webhook was not reached; the outcome is not affected");
}

// Ends the holder of the lock, and says in the journal who did it and why.
Result<void> break_lock(const Config& config, const std::string& reason) {
  const auto holder = Lock::holder(config.state_directory / "lock");
  if (!holder || holder->pid <= 0) return {};
  std::error_code failed;
  const auto executable =
      std::filesystem::read_symlink(fmt::format("/proc/{}/exe", holder->pid), failed);
  const std::string name = executable.filename().string();
  if (failed || (name.rfind("deploy", 0) != 0 && name.rfind("rollback", 0) != 0)) {
    return Error{ErrorKind::busy,
                 fmt::format("process {} holds the lock and is not one of ours", holder->pid),
                 "look at it before ending it by hand"};
  }
  ::kill(holder->pid, SIGKILL);
  for (int i = 0; i < 500 && Lock::holder(config.state_directory / "lock"); ++i) {
    SystemClock().sleep_for(std::chrono::milliseconds(10), {});
  }
  auto journal = Journal::open(config.state_directory / "journal");
  if (!journal) return {};  // the run that follows deals with a damaged journal
  return journal->append("note", "", format_utc(std::chrono::system_clock::now()),
                         {{"what", "lock broken"},
                          {"by", actor_name()},
                          {"reason", reason},
                          {"holder", holder->describe()}});
}

// This process's own command line, for the worker.
std::vector<std::string> own_arguments() {
  std::vector<std::string> words;
  const auto bytes = read_file("/proc/self/cmdline", std::size_t{1} << 20);
  std::string_view rest = bytes ? std::string_view(*bytes) : std::string_view();
  while (!rest.empty()) {
    words.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), words.back().size() + 1));
  }
  return words;
}

int start_and_follow(const Config& config, Lock lock, const std::string& program,
                     std::stop_token stop) {
  auto worker = Worker::start(config.state_directory / "run", own_arguments(), std::move(lock));
  if (!worker) {
    print_error(program, worker.error().text());
    return static_cast<int>(ExitCode::failed);
  }
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  const auto status = worker->follow(stop, terminal ? OnStop::ask : OnStop::turn_back);
  if (!status) {
    print_warning(program, "it goes on; follow it with 'rollback --status --wait'");
    return static_cast<int>(ExitCode::interrupted);
  }
  if (*status > 128 && *status != static_cast<int>(ExitCode::interrupted)) {
    print_error(program, fmt::format("the worker was ended by signal {}; run 'rollback --resume'",
                                     *status - 128));
    return static_cast<int>(ExitCode::needs_human);
  }
  return *status;
}

// Under the lock: the work itself.
int work(World& world, Session& session, const Options& options, const std::string& program,
         Lock& lock, std::stop_token stop) {
  world.failpoint = failpoint_from_environment();
  world.ports_to_check = {world.config.btp_port, world.config.http_port};
  world.progress = [&](Step step, const StepReport* ended) {
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
  call_webhook(report, world.config, program);
  return static_cast<int>(report.exit_code);
}

int look(Session& session, const Config& config, const Options& options, const std::string& program,
         std::stop_token stop) {
  if (options.wait && options.action == Action::status) {
    follow_current(config.state_directory / "run", config.state_directory / "lock", stop);
  }
  if (options.action == Action::status) return print_status(session, config, options, program);
  if (options.action == Action::history) return print_history(session, options, program);
  const Report report = session.dry_run();
  print_report(report, options, program);
  return static_cast<int>(report.exit_code);
}

}  // namespace

int run(const Options& options, const std::string& program, std::stop_token stop) {
  auto config = read_config(options.config_file);
  if (!config) {
    print_error(program, config.error().text());
    return static_cast<int>(ExitCode::usage);
  }
  if (options.timeout) config->gate.deadline = std::min(config->gate.deadline, *options.timeout);
  DockerEngine engine(*config);
  Haproxy haproxy(*config);
  SoloSwitch solo(*config, engine);
  Proxy* proxy = &haproxy;
  if (config->recreate) proxy = &solo;
  HttpHealth health(config->subnet_prefix, 8080);
  SystemClock clock;
  World world{*config, engine, *proxy, health, clock};
  Session session(world, options, actor_name());
  if (options.read_only()) return look(session, *config, options, program, stop);
  const LockOwner owner{::getpid(), fmt::format("{} {}", program, options.target), actor_name(),
                        format_utc(clock.utc()), ""};
  if (options.worker_lock_fd >= 0) {
    Lock lock = Lock::adopt(options.worker_lock_fd);
    lock.note_owner(owner);
    return work(world, session, options, program, lock, stop);
  }
  if (auto prepared = prepare_state(*config, haproxy); !prepared) {
    print_error(program, prepared.error().text());
    return static_cast<int>(ExitCode::failed);
  }
  if (!options.break_lock.empty()) {
    if (auto broken = break_lock(*config, options.break_lock); !broken) {
      print_error(program, broken.error().text());
      return static_cast<int>(ExitCode::locked);
    }
  }
  auto lock = take_lock(*config, options, owner, stop);
  if (!lock) {
    print_error(program, lock.error().text());
    return static_cast<int>(lock.error().kind == ErrorKind::busy ? ExitCode::locked
                                                                 : ExitCode::failed);
  }
  return start_and_follow(*config, std::move(*lock), program, stop);
}

}  // namespace slipway::deploy
