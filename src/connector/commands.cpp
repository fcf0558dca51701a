#include "connector/commands.hpp"

#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "base/units.hpp"
#include "connector/config.hpp"
#include "connector/ledger_command.hpp"
#include "connector/probe.hpp"
#include "connector/service.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>

#include <fmt/core.h>

namespace slipway::connector {
namespace {

struct Options {
  std::string config_file;
  std::string role;
  std::string account = "probe";
  std::string timeout = "3s";
  int signal = 0;
};

int fail(const Error& error) {
  print_error("connector", error.text());
  return static_cast<int>(error.kind == ErrorKind::usage ? ExitStatus::usage : ExitStatus::failed);
}

int run_service(const Config& config, std::stop_token stop) {
  Service service(config);
  if (const auto started = service.start(); !started) return fail(started.error());
  return static_cast<int>(service.run(stop) ? ExitStatus::ok : ExitStatus::failed);
}

int run_healthcheck(const Config& config, std::chrono::milliseconds timeout) {
  if (const auto live = check_health(config, timeout); !live) return fail(live.error());
  return static_cast<int>(ExitStatus::ok);
}

int run_probe(const Config& config, const std::string& account, std::chrono::milliseconds timeout) {
  const auto address = probe(config, account, timeout);
  if (!address) return fail(address.error());
  fmt::print("fulfilled: {} is {}\n", account, *address);
  return static_cast<int>(ExitStatus::ok);
}

// To the connector that this container is for: where there is no shell, nothing else can.
int run_signal(int number) {
  std::error_code failed;
  if (!std::filesystem::equivalent("/proc/1/exe", "/proc/self/exe", failed)) {
    return fail({ErrorKind::failed, "process 1 is not this connector",
                 "run it in the connector's own container"});
  }
  if (::kill(1, number) != 0) return fail(io_error("cannot signal", "process 1", errno));
  return static_cast<int>(ExitStatus::ok);
}

// Without a configuration where a store is named: a copy is looked at on any machine.
int run_ledger(const LedgerCommand& command, const Result<Config>& config) {
  if (!config && command.store().empty()) return fail(config.error());
  const auto status = command.run(config ? std::optional(*config) : std::nullopt);
  return status ? *status : fail(status.error());
}

}  // namespace

int run_command_line(int argc, const char* const* argv, std::stop_token stop) {
  Options options;
  CommandLine line(
      "connector",
      "An Interledger (ILPv4) packet connector: BTP and ILP-over-HTTP in, BTP and "
      "ILP-over-HTTP out.\nSIGUSR1 drains it, SIGUSR2 makes it active, SIGTERM drains and "
      "ends it.\nExit: 0 done, 1 failed, 2 usage.");
  line.version(fmt::format("{} ({})", build_info().version, build_info().revision));
  line.add("--config", options.config_file,
           "JSON configuration; else CONNECTOR_CONFIG_JSON or CONNECTOR_CONFIG says it");
  line.require_commands(0, 1);
  line.pass_flags_up();
  line.add_command("run", "serve until SIGTERM (the default)");
  line.add("--role", options.role, "active or standby, instead of what is configured");
  Flags healthcheck = line.add_command("healthcheck", "GET our own /health/live");
  Flags probe_command =
      line.add_command("probe", "send one real packet over BTP to the connector on this host");
  probe_command.add("--account", options.account, "as whom").show_default();
  Flags signal_command =
      line.add_command("signal", "tell the connector of this container its role");
  signal_command
      .add_choice<int>("ROLE", options.signal, {{"active", SIGUSR2}, {"drained", SIGUSR1}},
                       "which role it is to take")
      .required();
  const LedgerCommand ledger(line);
  for (Flags command : {healthcheck, probe_command}) {
    command.add("--timeout", options.timeout, "for the whole exchange").show_default();
  }
  if (const auto status = line.parse(argc, argv)) return *status;
  if (signal_command.given()) return run_signal(options.signal);
  Environment environment = current_environment();
  if (!options.role.empty()) environment["CONNECTOR_ROLE"] = options.role;
  const auto config = load_config(options.config_file, environment);
  if (ledger.given()) return run_ledger(ledger, config);
  if (!config) return fail(config.error());
  const auto timeout = parse_duration(options.timeout);
  if (!timeout) return fail(timeout.error());
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(*timeout);
  if (healthcheck.given()) return run_healthcheck(*config, milliseconds);
  if (probe_command.given()) return run_probe(*config, options.account, milliseconds);
  return run_service(*config, stop);
}

}  // namespace slipway::connector
