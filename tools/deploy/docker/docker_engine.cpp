#include "deploy/docker/docker_engine.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "base/unique_fd.hpp"
#include "deploy/docker/docker_command.hpp"
#include "deploy/docker/labels.hpp"
#include "deploy/haproxy/haproxy_file.hpp"
#include "deploy/state/compose_file.hpp"
#include "deploy/state/environment_file.hpp"
#include "deploy/state/file_snapshot.hpp"
#include "deploy/state/secrets.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

std::string service_name(Colour colour) {
  return std::string(to_string(colour));
}

Result<Room> room_in(const std::filesystem::path& directory) {
  struct statvfs status{};
  if (::statvfs(directory.c_str(), &status) != 0) {
    return io_error("cannot ask for the free space of", directory.string(), errno);
  }
  return Room{directory.string(), static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize,
              "free some space; 'docker image prune -a' takes neither current nor previous"};
}

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

// The labels may be an image's; the name is of whoever made the container: NAME, or <hex>_NAME
// while compose puts one in the place of another.
bool is_named_by_compose(const JsonValue& names, const std::string& name) {
  for (const JsonValue& entry : names.items()) {
    std::string given = entry.text();
    if (given.starts_with('/')) given.erase(0, 1);
    if (given == name) return true;
    const std::size_t hex = given.find_first_not_of("0123456789abcdef");
    if (hex != std::string::npos && hex > 0 && given.substr(hex) == "_" + name) return true;
  }
  return false;
}

// The service's environment as compose takes it from nowhere else, beside the snapshot; empty where
// the snapshot's file cannot be read as it is written today.
Result<std::string> write_environment(const SnapshotPaths& snapshot) {
  const auto text = read_file(snapshot.environment_file, std::size_t{1} << 20);
  if (!text) return text.error();
  const auto values = parse_environment(*text);
  if (!values) return std::string();
  const std::string file = (snapshot.directory / "environment.json").string();
  if (auto written = write_durably(file, compose_of_environment(*values), 0600); !written) {
    return written.error();
  }
  return file;
}

}  // namespace

std::string DockerEngine::container_name(Colour colour) const {
  return fmt::format("{}-{}", config_.project, to_string(colour));
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
  const JsonValue state = answer->json.at({"State"});
  const JsonValue labels = answer->json.at({"Config", "Labels"});
  instance.exists = true;
  instance.running = state.at({"Running"}).is_true() && !state.at({"Restarting"}).is_true();
  instance.ready = instance.running ? 1 : 0;
  if (!instance.running) instance.reason = foreign_text(state.at({"Error"}).text(), 400);
  if (!instance.running && state.at({"OOMKilled"}).is_true()) {
    const auto limit = answer->json.at({"HostConfig", "Memory"}).integer();
    instance.reason = fmt::format(
        "it was killed (status {}) because it needed more memory than its limit of {} MB "
        "(limits.memory of its slipway.yml)",
        state.at({"ExitCode"}).integer(), limit >> 20);
  }
  instance.image_id = answer->json.at({"Image"}).text();
  instance.restart_count = static_cast<int>(answer->json.at({"RestartCount"}).integer());
  instance.exit_code = static_cast<int>(state.at({"ExitCode"}).integer());
  instance.ended = end_of(state.at({"FinishedAt"}).text());
  instance.transaction = checked(label_of(labels, label("transaction")), is_transaction);
  instance.digest = checked(label_of(labels, label("digest")), is_digest);
  instance.snapshot = checked(label_of(labels, label("snapshot")), is_snapshot);
  return instance;
}

Result<void> DockerEngine::start(Colour colour, const Release& release,
                                 const std::string& transaction, std::stop_token stop) {
  return up("-d", colour, release, transaction, std::move(stop));
}

Result<void> DockerEngine::create(Colour colour, const Release& release,
                                  const std::string& transaction, std::stop_token stop) {
  return up("--no-start", colour, release, transaction, std::move(stop));
}

Result<void> DockerEngine::up(const std::string& how, Colour colour, const Release& release,
                              const std::string& transaction, std::stop_token stop) {
  // Before anything is removed for it.
  const SnapshotPaths snapshot(config_, release.snapshot);
  if (auto repaired = FileSnapshot::repair_modes(snapshot.directory); !repaired) return repaired;
  auto orphans = containers_of(service_name(colour));
  if (!orphans) return orphans.error();
  for (const std::string& id : *orphans) {
    if (auto removed = remove_container(id, "the container " + id); !removed) return removed;
  }
  if (auto free = check_name_free(colour); !free) return free;
  const std::string by_digest = release.repository + "@" + release.digest;
  const bool digest_known = images_.inspect(by_digest).has_value();
  Environment environment = docker_environment(config_);
  const std::string image_variable =
      colour == Colour::blue ? "SLIPWAY_BLUE_IMAGE" : "SLIPWAY_GREEN_IMAGE";
  environment[image_variable] = digest_known ? by_digest : release.image_id;
  environment["SLIPWAY_DIGEST"] = release.digest;
  environment["SLIPWAY_SNAPSHOT"] = release.snapshot;
  environment["SLIPWAY_TRANSACTION"] = transaction;
  environment["SLIPWAY_CONFIG_DIR"] = snapshot.config_directory.string();
  ComposeProject project{{snapshot.compose_file.string()},
                         std::move(environment),
                         secrets_of(snapshot.environment_file, snapshot.config_directory)};
  auto told = write_environment(snapshot);
  if (!told) return told.error();
  // One of an earlier version that cannot be read so is read by compose, as it was then.
  if (told->empty()) {
    project.environment["SLIPWAY_ENV_FILE"] = snapshot.environment_file.string();
  } else {
    project.files.insert(project.files.begin(), *told);
  }
  auto done = compose(
      config_, {"up", how, "--no-deps", "--no-build", "--pull", "never", service_name(colour)},
      project, std::move(stop));
  // The snapshot's own file is enough; one that a kill leaves is as safe, and goes the next time.
  std::error_code ignored;
  if (!told->empty()) std::filesystem::remove(*told, ignored);
  return done;
}

Result<void> DockerEngine::check_name_free(Colour colour) const {
  auto there = api_.call("GET", "/containers/" + container_name(colour) + "/json");
  if (!there) return there.error();
  if (there->status == 404) return {};
  return Error{ErrorKind::failed,
               fmt::format("there is a container {} that is not of this project (its image: {})",
                           container_name(colour),
                           foreign_line(there->json.at({"Config", "Image"}).text(), 200)),
               fmt::format("rename or remove it, or give this service another name (project in {})",
                           config_.file.string())};
}

Result<void> DockerEngine::remove_container(const std::string& id, const std::string& name) {
  auto removed = api_.order("remove " + name, "DELETE", "/containers/" + id + "?force=1&v=1");
  if (!removed && removed.error().kind == ErrorKind::not_found) return {};
  return removed;
}

Result<std::vector<std::string>> DockerEngine::containers_of(const std::string& service) const {
  auto answer = api_.demand(
      "list the containers of " + service, "GET",
      "/containers/json?all=1&" + label_filter({"com.docker.compose.project=" + config_.project,
                                                "com.docker.compose.service=" + service}));
  if (!answer) return answer.error();
  std::vector<std::string> ids;
  for (const JsonValue& container : answer->json.items()) {
    if (is_named_by_compose(container.at({"Names"}), config_.project + "-" + service)) {
      ids.push_back(container.at({"Id"}).text());
    }
  }
  return ids;
}

Result<void> DockerEngine::stop(Colour colour, std::chrono::nanoseconds grace) {
  const std::string name = container_name(colour);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(grace);
  return api_.order("stop " + name, "POST",
                    fmt::format("/containers/{}/stop?t={}", name, seconds.count()),
                    seconds + std::chrono::seconds(15));
}

Result<void> DockerEngine::start_again(Colour colour) {
  const std::string name = container_name(colour);
  return api_.order("start " + name, "POST", "/containers/" + name + "/start");
}

// The kernel delivers it, not the engine: to Docker any signal that it sends means that the
// container was stopped by hand, and from then on it restarts it neither after a crash nor after a
// reboot.
bool DockerEngine::signal_process(Colour colour, int number) const {
  auto answer = api_.call("GET", "/containers/" + container_name(colour) + "/json");
  if (!answer || !answer->ok()) return false;
  const auto pid = static_cast<pid_t>(answer->json.at({"State", "Pid"}).integer());
  const std::string id = answer->json.at({"Id"}).text();
  if (pid <= 0 || id.empty()) return false;
  // By number: the header of Debian 12's C library declares them for C only.
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Looked at after it was opened: the number cannot have become another process's.
  const auto groups = read_file(fmt::format("/proc/{}/cgroup", pid), 65536);
  if (!process || !groups || groups->find(id) == std::string::npos) return false;
  return ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0) == 0;
}

Result<void> DockerEngine::set_role(Colour colour, Role role) {
  const int number = role == Role::active ? SIGUSR2 : SIGUSR1;
  if (signal_process(colour, number)) return {};
  // The engine's processes cannot be seen from here, or nothing runs: then it says so.
  const std::string name = container_name(colour);
  return api_.order(fmt::format("send {} to {}", ::strsignal(number), name), "POST",
                    fmt::format("/containers/{}/kill?signal={}", name, number));
}

Result<void> DockerEngine::remove(Colour colour) {
  auto ids = containers_of(service_name(colour));
  if (!ids) return ids.error();
  for (const std::string& id : *ids) {
    // A candidate has no traffic, and one that served was drained before: 5 s are for its manners.
    auto stopped =
        api_.call("POST", "/containers/" + id + "/stop?t=5", "", std::chrono::seconds(30));
    if (!stopped) return stopped.error();
    if (auto removed = remove_container(id, "the container " + container_name(colour)); !removed) {
      return removed;
    }
  }
  return {};
}

Result<std::vector<Room>> DockerEngine::room() {
  auto ours = room_in(config_.state_directory);
  if (!ours) return ours.error();
  std::vector<Room> rooms{*ours};
  // Where the engine's folder cannot be seen from here, nothing can be said of it.
  const auto info = api_.demand("ask the engine for its folder", "GET", "/info");
  std::error_code ignored;
  const std::filesystem::path folder = info ? info->json.at({"DockerRootDir"}).text() : "";
  if (!std::filesystem::exists(folder, ignored)) return rooms;
  auto images = room_in(folder);
  if (!images) return images.error();
  rooms.push_back(*images);
  return rooms;
}

Result<std::vector<Endpoint>> DockerEngine::endpoints(Colour colour, std::uint16_t port) {
  return std::vector<Endpoint>{{"", address_of(config_, colour), port, ""}};
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
  return run_command(
      {.argv = command, .environment = docker_environment(config_), .deadline = deadline});
}

}  // namespace slipway::deploy
