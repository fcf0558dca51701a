#include "deploy/docker/docker_command.hpp"

#include "base/foreign_text.hpp"
#include "deploy/model/release.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Whether docker, or a helper that it asks for a registry's credentials, reads this variable.
bool is_for_docker(std::string_view name) {
  static constexpr std::array exactly{"PATH",
                                      "HOME",
                                      "DOCKER_CONFIG",
                                      "XDG_RUNTIME_DIR",
                                      "HTTP_PROXY",
                                      "HTTPS_PROXY",
                                      "NO_PROXY",
                                      "http_proxy",
                                      "https_proxy",
                                      "no_proxy",
                                      "SSL_CERT_FILE",
                                      "SSL_CERT_DIR",
                                      "DBUS_SESSION_BUS_ADDRESS",
                                      "GNUPGHOME",
                                      "PASSWORD_STORE_DIR"};
  static constexpr std::array beginnings{"AWS_",   "GOOGLE_", "CLOUDSDK_",         "GCLOUD_",
                                         "AZURE_", "ACR_",    "DOCKER_CREDENTIAL_"};
  return std::any_of(exactly.begin(), exactly.end(),
                     [&](std::string_view one) { return name == one; }) ||
         std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view one) { return name.starts_with(one); });
}

}  // namespace

Environment docker_environment(const Config& config) {
  const Environment own = current_environment();
  Environment environment(config.variables.begin(), config.variables.end());
  for (const auto& variable : own) {
    if (is_for_docker(variable.first)) environment.insert(variable);
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
  environment["SLIPWAY_ENV_FILE"] = "/dev/null";
  if (!config.haproxy_image.empty()) environment["SLIPWAY_HAPROXY_IMAGE"] = config.haproxy_image;
  return environment;
}

Result<void> compose(const Config& config, const std::vector<std::string>& arguments,
                     const ComposeProject& project, std::stop_token stop) {
  std::vector<std::string> argv{"docker",       "compose",    "-p",
                                config.project, "--env-file", "/dev/null"};
  for (const std::string& file : project.files) argv.insert(argv.end(), {"-f", file});
  argv.insert(argv.end(), {"--project-directory", config.file.parent_path().string()});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto done = run_command(
      {.argv = argv, .environment = project.environment, .deadline = config.step_deadline}, stop);
  if (!done) return done.error();
  if (done->exit_status != 0) {
    return Error{
        ErrorKind::failed,
        fmt::format("docker compose {} {}: exit {}: {}", arguments.front(), arguments.back(),
                    done->exit_status, foreign_text(done->err, 800, project.secrets)),
        {}};
  }
  return {};
}

namespace {

// "Digest: sha256:...", a line of what `docker pull` says: the registry's answer for the name that
// was asked for, be it of an index or of an image. The engine's own list of digests has all by
// which it ever met the image.
std::string digest_in(std::string_view said) {
  constexpr std::string_view key = "Digest: ";
  while (!said.empty()) {
    const std::string_view line = said.substr(0, said.find('\n'));
    said.remove_prefix(std::min(said.size(), line.size() + 1));
    if (line.starts_with(key) && is_digest(line.substr(key.size()))) {
      return std::string(line.substr(key.size()));
    }
  }
  return {};
}

// What the docker client said, of WHAT that failed. An engine that was updated alone refuses the
// client beside it.
Error failure(ErrorKind kind, std::string_view what, std::string_view words) {
  if (words.find("client version") != words.npos && words.find("too old") != words.npos) {
    return {ErrorKind::failed,
            fmt::format("{}: this host's docker client is older than its engine takes: {}", what,
                        foreign_text(words, 400)),
            "update the docker client of this host (docker-cli or docker-ce-cli) to the engine's "
            "version"};
  }
  return {kind, fmt::format("{}: {}", what, foreign_text(words, 400)), {}};
}

// As long as a pull may take: it moves as much.
Result<void> move_image(const Config& config, std::vector<std::string> argv, std::stop_token stop) {
  const std::string what = fmt::format("{} {} {}", argv[0], argv[1], argv.back());
  auto done = run_command({.argv = std::move(argv),
                           .environment = docker_environment(config),
                           .deadline = config.pull_deadline},
                          std::move(stop));
  if (!done) return done.error();
  if (done->exit_status == 0) return {};
  return failure(ErrorKind::failed, what, done->err);
}

}  // namespace

Result<void> docker_save(const Config& config, const std::string& image_id,
                         const std::filesystem::path& file, std::stop_token stop) {
  return move_image(config, {"docker", "save", "-o", file.string(), image_id}, std::move(stop));
}

Result<void> docker_load(const Config& config, const std::filesystem::path& file,
                         std::stop_token stop) {
  return move_image(config, {"docker", "load", "-q", "-i", file.string()}, std::move(stop));
}

Result<std::string> docker_pull(const Config& config, const std::string& image,
                                std::stop_token stop) {
  auto pulled = run_command({.argv = {"docker", "pull", image},
                             .environment = docker_environment(config),
                             .deadline = config.pull_deadline},
                            std::move(stop));
  if (!pulled) return pulled.error();
  if (pulled->exit_status == 0) return digest_in(pulled->out);
  return failure(ErrorKind::not_found, fmt::format("cannot pull {}", image), pulled->err);
}

}  // namespace slipway::deploy
