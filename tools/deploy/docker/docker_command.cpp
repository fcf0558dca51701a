#include "deploy/docker/docker_command.hpp"

#include "deploy/model/foreign_text.hpp"
#include "deploy/state/secrets.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// What a service with this environment is told in confidence; compose quotes it where it is wrong.
std::vector<std::string> secrets_in(const Environment& environment) {
  return secrets_of(environment.at("SLIPWAY_ENV_FILE"), environment.at("SLIPWAY_CONFIG_DIR"));
}

}  // namespace

Environment docker_environment(const Config& config) {
  const Environment own = current_environment();
  Environment environment(config.variables.begin(), config.variables.end());
  for (const char* name : {"PATH", "HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "HTTP_PROXY",
                           "HTTPS_PROXY", "NO_PROXY"}) {
    if (const auto found = own.find(name); found != own.end()) environment.insert(*found);
  }
  environment["DOCKER_HOST"] = "unix://" + config.docker_socket;
  environment["SLIPWAY_PROJECT"] = config.project;
  environment["SLIPWAY_SUBNET_PREFIX"] = config.subnet_prefix;
  for (const auto& [port, outside] : config.ports) {
    environment[fmt::format("SLIPWAY_PORT_{}", port)] = std::to_string(outside);
  }
  environment["SLIPWAY_STATE_DIR"] = config.state_directory.string();
  environment["SLIPWAY_HAPROXY_CONFIG"] =
      config.haproxy_config.empty() ? (config.state_directory / "proxy" / "haproxy.cfg").string()
                                    : config.haproxy_config.string();
  environment["SLIPWAY_CONFIG_DIR"] = config.config_directory.string();
  environment["SLIPWAY_ENV_FILE"] =
      config.environment_file.empty() ? "/dev/null" : config.environment_file.string();
  if (!config.haproxy_image.empty()) environment["SLIPWAY_HAPROXY_IMAGE"] = config.haproxy_image;
  return environment;
}

Result<void> compose(const Config& config, const std::vector<std::string>& arguments,
                     const std::string& compose_file, const Environment& environment,
                     std::stop_token stop) {
  std::vector<std::string> argv{"docker",
                                "compose",
                                "-p",
                                config.project,
                                "-f",
                                compose_file,
                                "--project-directory",
                                config.file.parent_path().string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto done = run_command(
      {.argv = argv, .environment = environment, .deadline = config.step_deadline}, stop);
  if (!done) return done.error();
  if (done->exit_status != 0) {
    return Error{
        ErrorKind::failed,
        fmt::format("docker compose {} {}: exit {}: {}", arguments.front(), arguments.back(),
                    done->exit_status, foreign_text(done->err, 800, secrets_in(environment))),
        {}};
  }
  return {};
}

Result<void> docker_pull(const Config& config, const std::string& image, std::stop_token stop) {
  auto pulled = run_command({.argv = {"docker", "pull", "--quiet", image},
                             .environment = docker_environment(config),
                             .deadline = config.pull_deadline},
                            std::move(stop));
  if (!pulled) return pulled.error();
  if (pulled->exit_status == 0) return {};
  return Error{ErrorKind::not_found,
               fmt::format("cannot pull {}: {}", image, foreign_text(pulled->err, 400)),
               {}};
}

}  // namespace slipway::deploy
