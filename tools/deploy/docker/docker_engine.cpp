// Containers: started, signalled, looked at and removed.
#include "deploy/docker/docker_engine.hpp"

#include "base/durable_file.hpp"
#include "base/unique_fd.hpp"
#include "deploy/docker/docker_answer.hpp"
#include "deploy/model/foreign_text.hpp"
#include "deploy/state/secrets.hpp"
#include "deploy/state/snapshot.hpp"

#include <algorithm>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

using nlohmann::json;

// Lines of a container's log: the engine frames each chunk with 8 bytes, of which 4 are its size.
std::string unframe_log(std::string_view bytes) {
  std::string lines;
  while (bytes.size() >= 8) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t size = (std::size_t{byte(4)} << 24) | (std::size_t{byte(5)} << 16) |
                             (std::size_t{byte(6)} << 8) | byte(7);
    lines += bytes.substr(8, size);
    bytes.remove_prefix(std::min(bytes.size(), 8 + size));
  }
  return lines;
}

// What a service with this environment is told in confidence; compose quotes it where it is wrong.
std::vector<std::string> secrets_in(const Environment& environment) {
  return secrets_of(environment.at("SLIPWAY_ENV_FILE"), environment.at("SLIPWAY_CONFIG_DIR"));
}

}  // namespace

std::string DockerEngine::container_name(Colour colour) const {
  return fmt::format("{}-{}", config_.project, to_string(colour));
}

std::string DockerEngine::service_name(Colour colour) const {
  return std::string(to_string(colour));
}

Environment DockerEngine::compose_environment() const {
  // Exactly these and nothing of the caller's: a stray IMAGE_TAG in somebody's shell must not
  // decide what runs.
  const Environment own = current_environment();
  Environment environment;
  for (const char* name : {"PATH", "HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "HTTP_PROXY",
                           "HTTPS_PROXY", "NO_PROXY"}) {
    if (const auto found = own.find(name); found != own.end()) environment.insert(*found);
  }
  environment["DOCKER_HOST"] = "unix://" + config_.docker_socket;
  environment["SLIPWAY_PROJECT"] = config_.project;
  environment["SLIPWAY_SUBNET_PREFIX"] = config_.subnet_prefix;
  environment["SLIPWAY_BTP_PORT"] = std::to_string(config_.btp_port);
  environment["SLIPWAY_HTTP_PORT"] = std::to_string(config_.http_port);
  environment["SLIPWAY_STATE_DIR"] = config_.state_directory.string();
  environment["SLIPWAY_HAPROXY_CONFIG"] = config_.haproxy_config.string();
  environment["SLIPWAY_CONFIG_DIR"] = config_.config_directory.string();
  environment["SLIPWAY_ENV_FILE"] =
      config_.environment_file.empty() ? "/dev/null" : config_.environment_file.string();
  if (!config_.haproxy_image.empty()) environment["SLIPWAY_HAPROXY_IMAGE"] = config_.haproxy_image;
  return environment;
}

Result<void> DockerEngine::compose(const std::vector<std::string>& arguments,
                                   const std::string& compose_file, const Environment& environment,
                                   std::stop_token stop) const {
  std::vector<std::string> argv{"docker",
                                "compose",
                                "-p",
                                config_.project,
                                "-f",
                                compose_file,
                                "--project-directory",
                                config_.compose_file.parent_path().string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto done = run_command(
      {.argv = argv, .environment = environment, .deadline = config_.step_deadline}, stop);
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

Result<void> DockerEngine::start_proxy(std::stop_token stop) {
  return compose({"up", "-d", "--no-deps", "--no-recreate", "haproxy"},
                 config_.compose_file.string(), compose_environment(), stop);
}

Result<Instance> DockerEngine::inspect(Colour colour) {
  auto answer = api_.call("GET", "/containers/" + container_name(colour) + "/json");
  if (!answer) return answer.error();
  Instance instance;
  if (answer->status == 404) return instance;
  if (!answer->ok()) {
    return Error{ErrorKind::failed,
                 fmt::format("cannot inspect {}: {}", container_name(colour), answer->message()),
                 {}};
  }
  const json& state = at(answer->json, {"State"});
  const json& labels = at(answer->json, {"Config", "Labels"});
  instance.exists = true;
  instance.running = state.value("Running", false) && !state.value("Restarting", false);
  instance.id = text(at(answer->json, {"Id"}));
  instance.image_id = text(at(answer->json, {"Image"}));
  instance.restart_count = answer->json.value("RestartCount", 0);
  instance.exit_code = state.value("ExitCode", 0);
  instance.error = foreign_text(text(at(state, {"Error"})), 400);
  instance.transaction = label_of(labels, label("transaction"));
  instance.digest = label_of(labels, label("digest"));
  instance.snapshot = label_of(labels, label("snapshot"));
  return instance;
}

Result<void> DockerEngine::start(Colour colour, const Release& release,
                                 const std::string& transaction, std::stop_token stop) {
  auto orphans = containers_of(service_name(colour));
  if (!orphans) return orphans.error();
  for (const std::string& id : *orphans) {
    auto removed =
        api_.demand("remove the container " + id, "DELETE", "/containers/" + id + "?force=1&v=1");
    if (!removed && removed.error().kind != ErrorKind::not_found) return removed.error();
  }
  const std::string by_digest = release.repository + "@" + release.digest;
  const bool digest_known = inspect_image(by_digest).has_value();
  const auto directory = snapshot_directory(config_, release.snapshot);
  Environment environment = compose_environment();
  const std::string image_variable =
      colour == Colour::blue ? "SLIPWAY_BLUE_IMAGE" : "SLIPWAY_GREEN_IMAGE";
  environment[image_variable] = digest_known ? by_digest : release.image_id;
  environment["SLIPWAY_DIGEST"] = release.digest;
  environment["SLIPWAY_SNAPSHOT"] = release.snapshot;
  environment["SLIPWAY_TRANSACTION"] = transaction;
  environment["SLIPWAY_CONFIG_DIR"] = (directory / "config").string();
  environment["SLIPWAY_ENV_FILE"] = (directory / "connector.env").string();
  const std::string how = config_.recreate ? "--no-start" : "-d";
  return compose({"up", how, "--no-deps", "--no-build", "--pull", "never", service_name(colour)},
                 (directory / "compose.yml").string(), environment, stop);
}

Result<std::vector<std::string>> DockerEngine::containers_of(const std::string& service) const {
  const json filters = {
      {"label",
       {"com.docker.compose.project=" + config_.project, "com.docker.compose.service=" + service}}};
  auto answer = api_.demand("list the containers of " + service, "GET",
                            "/containers/json?all=1&filters=" + url_encode(filters.dump()));
  if (!answer) return answer.error();
  std::vector<std::string> ids;
  for (const json& container : answer->json) ids.push_back(text(at(container, {"Id"})));
  return ids;
}

Result<void> DockerEngine::stop(Colour colour) {
  const std::string name = container_name(colour);
  const auto grace = std::chrono::ceil<std::chrono::seconds>(config_.drain_deadline);
  auto stopped = api_.demand("stop " + name, "POST",
                             fmt::format("/containers/{}/stop?t={}", name, grace.count()), nullptr,
                             grace + std::chrono::seconds(15));
  if (!stopped) return stopped.error();
  return {};
}

Result<void> DockerEngine::start_again(Colour colour) {
  const std::string name = container_name(colour);
  auto started = api_.demand("start " + name, "POST", "/containers/" + name + "/start");
  if (!started) return started.error();
  return {};
}

// The kernel delivers it, not the engine: to Docker any signal that it sends means that the
// container was stopped by hand, and from then on it restarts it neither after a crash nor after a
// reboot.
bool DockerEngine::signal_process(Colour colour, int number) const {
  auto answer = api_.call("GET", "/containers/" + container_name(colour) + "/json");
  if (!answer || !answer->ok()) return false;
  const pid_t pid = at(answer->json, {"State"}).value("Pid", 0);
  const std::string id = text(at(answer->json, {"Id"}));
  if (pid <= 0 || id.empty()) return false;
  // By number: the header of Debian 12's C library declares them for C only.
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Looked at after it was opened: the number cannot have become another process's.
  const auto groups = read_file(fmt::format("/proc/{}/cgroup", pid), 65536);
  if (!process || !groups || groups->find(id) == std::string::npos) return false;
  return ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0) == 0;
}

Result<void> DockerEngine::send_signal(Colour colour, int number) {
  if (signal_process(colour, number)) return {};
  // The engine's processes cannot be seen from here, or nothing runs: then it says so.
  const std::string name = container_name(colour);
  auto sent = api_.demand(fmt::format("send {} to {}", ::strsignal(number), name), "POST",
                          fmt::format("/containers/{}/kill?signal={}", name, number));
  if (!sent) return sent.error();
  return {};
}

Result<void> DockerEngine::remove(Colour colour) {
  auto ids = containers_of(service_name(colour));
  if (!ids) return ids.error();
  for (const std::string& id : *ids) {
    // A candidate has no traffic, and one that served was drained before: 5 s are for its manners.
    auto stopped =
        api_.call("POST", "/containers/" + id + "/stop?t=5", nullptr, std::chrono::seconds(30));
    if (!stopped) return stopped.error();
    auto removed = api_.demand("remove the container " + container_name(colour), "DELETE",
                               "/containers/" + id + "?force=1&v=1");
    if (!removed && removed.error().kind != ErrorKind::not_found) return removed.error();
  }
  return {};
}

Result<std::string> DockerEngine::log_tail(Colour colour) {
  auto answer =
      api_.demand("read the log of " + container_name(colour), "GET",
                  "/containers/" + container_name(colour) + "/logs?stdout=1&stderr=1&tail=10");
  if (!answer) return answer.error();
  return unframe_log(answer->body);
}

Result<CommandOutput> DockerEngine::execute(Colour colour, const std::vector<std::string>& argv,
                                            std::chrono::nanoseconds deadline) {
  std::vector<std::string> command{"docker", "exec", container_name(colour)};
  command.insert(command.end(), argv.begin(), argv.end());
  return run_command({.argv = command, .environment = compose_environment(), .deadline = deadline});
}

}  // namespace slipway::deploy
