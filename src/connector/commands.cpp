#include "connector/commands.hpp"

#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "base/units.hpp"
#include "connector/config.hpp"
#include "connector/probe.hpp"
#include "connector/service.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

namespace slipway::connector {
namespace {

struct Options {
  std::string config_file;
  std::string role;
  std::string account = "probe";
  std::string timeout = "3s";
};

int fail(const Error& error) {
  print_error("connector", error.text());
  return static_cast<int>(error.kind == ErrorKind::usage ? ExitStatus::usage : ExitStatus::failed);
}

int run_service(const Config& config, std::stop_token stop) {
  Service service(config);
  if (const auto started = service.start(); !started) return fail(started.error());
  service.run(stop);
  return static_cast<int>(ExitStatus::ok);
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

}  // namespace

int run_command_line(int argc, const char* const* argv, std::stop_token stop) {
  Options options;
  CLI::App app(
      "An Interledger (ILPv4) packet connector: BTP and ILP-over-HTTP in, BTP and "
      "ILP-over-HTTP out.\nSIGUSR1 drains it, SIGUSR2 makes it active, SIGTERM drains and "
      "ends it.\nExit: 0 done, 1 failed, 2 usage.",
      "connector");
  app.set_version_flag("--version", std::string(build_info().version) + " (" +
                                        std::string(build_info().revision) + ")");
  app.add_option("--config", options.config_file,
                 "JSON configuration; else CONNECTOR_CONFIG_JSON or CONNECTOR_CONFIG says it");
  app.require_subcommand(0, 1);
  app.fallthrough();
  CLI::App* run = app.add_subcommand("run", "serve until SIGTERM (the default)");
  app.add_option("--role", options.role, "active or standby, instead of what is configured");
  CLI::App* healthcheck = app.add_subcommand("healthcheck", "GET our own /health/live");
  CLI::App* probe_command =
      app.add_subcommand("probe", "send one real packet over BTP to the connector on this host");
  probe_command->add_option("--account", options.account, "as whom")->capture_default_str();
  for (CLI::App* command : {healthcheck, probe_command}) {
    command->add_option("--timeout", options.timeout, "for the whole exchange")
        ->capture_default_str();
  }
  if (const auto status = parse_command_line(app, argc, argv)) return *status;
  Environment environment = current_environment();
  if (!options.role.empty()) environment["CONNECTOR_ROLE"] = options.role;
  const auto config = load_config(options.config_file, environment);
  if (!config) return fail(config.error());
  const auto timeout = parse_duration(options.timeout);
  if (!timeout) return fail(timeout.error());
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(*timeout);
  if (healthcheck->parsed()) return run_healthcheck(*config, milliseconds);
  if (probe_command->parsed()) return run_probe(*config, options.account, milliseconds);
  static_cast<void>(run);
  return run_service(*config, stop);
}

}  // namespace slipway::connector
