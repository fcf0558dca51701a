#include "packet_bench/subject/own_container.hpp"

#include "base/command_line.hpp"
#include "base/foreign_text.hpp"
#include "base/random.hpp"
#include "packet_bench/common/program.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_refusal = 300;

// The first of what a program printed.
std::string line_of(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// What it prints. Its own failure is an error, too, with what it said.
Result<std::string> docker(Command command, std::stop_token stop = {}) {
  command.argv.insert(command.argv.begin(), "docker");
  const auto done = run_command(command, std::move(stop));
  if (!done) {
    if (done.error().kind == ErrorKind::cancelled) return done.error();
    return Error{ErrorKind::unreachable, done.error().what,
                 "install Docker (scripts/setup docker), or give an executable"};
  }
  if (done->exit_status != 0)
    return Error{ErrorKind::unreachable, foreign_line(line_of(done->err), longest_refusal), {}};
  return line_of(done->out);
}

// What deploy gives a colour (compose_of_colours), but for its share of the processors: while the
// kernel withholds them nothing is seen of what a request costs.
std::vector<std::string> as_deployed(const service::Service& service) {
  std::vector<std::string> flags{"--read-only",
                                 "--cap-drop",
                                 "ALL",
                                 "--security-opt",
                                 "no-new-privileges:true",
                                 "--memory",
                                 service.limits.memory,
                                 "--pids-limit",
                                 std::to_string(service.limits.processes)};
  const auto append_each = [&flags](const char* flag, const std::vector<std::string>& values) {
    for (const std::string& value : values) flags.insert(flags.end(), {flag, value});
  };
  append_each("--cap-add", service.capabilities);
  append_each("--tmpfs", {fmt::format("/tmp:{}", service::temporary_options)});
  for (const std::string& place : service.writable) {
    if (place == "/tmp") continue;
    append_each("--tmpfs", {fmt::format("{}:{}", place, service::writable_options)});
  }
  for (const auto& [variable, value] : service.environment) {
    append_each("--env", {fmt::format("{}={}", variable, value)});
  }
  // Empty ones, which go with the container.
  for (const auto& [name, path] : service.volumes) flags.insert(flags.end(), {"--volume", path});
  return flags;
}

}  // namespace

Result<FoundImage> find_image(const std::string& reference, std::stop_token stop) {
  auto engine = docker({.argv = {"version", "--format", "{{.Server.Version}}"}}, stop);
  if (!engine) {
    Error error = engine.error();
    if (error.remedy.empty()) error.remedy = "start the Docker engine, or correct DOCKER_HOST";
    return error;
  }
  const char* const format =
      "{{.Id}} {{with .Config}}{{with .Labels}}{{index . "
      "\"org.opencontainers.image.revision\"}}{{end}}{{end}}";
  const auto inspect = [&]() -> Result<FoundImage> {
    const auto said =
        docker({.argv = {"image", "inspect", "--format", format, "--", reference}}, stop);
    if (!said) return said.error();
    const std::size_t blank = std::min(said->find(' '), said->size());
    return FoundImage{said->substr(0, blank), said->substr(std::min(blank + 1, said->size()))};
  };
  if (auto found = inspect()) return found;
  const auto pulled =
      docker({.argv = {"pull", "--quiet", "--", reference}, .deadline = 10min}, stop);
  if (pulled) return inspect();
  if (pulled.error().kind == ErrorKind::cancelled) return pulled.error();
  return Error{ErrorKind::unreachable,
               fmt::format("there is no image {} here, and it cannot be pulled: {}", reference,
                           pulled.error().what),
               "build it, or correct the name"};
}

Result<Container> find_own(const OwnContainer& own) {
  auto container = find_container(own.name());
  if (container) return container;
  return Error{ErrorKind::unreachable, container.error().what,
               "run packet_bench where the Docker engine runs"};
}

// The kernel closes a pipe however this process dies, and a service may ignore every signal but
// one. More than once, since the engine may just be making it.
Result<OwnContainer::Guard> OwnContainer::guard(const std::string& name) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error{ErrorKind::io, fmt::format("cannot make a pipe: {}", std::strerror(errno)), {}};
  }
  const UniqueFd sees(ends[0]);
  UniqueFd life(ends[1]);
  auto process = Child::start({.argv = {"sh", "-c",
                                        "exec >/dev/null 2>&1; read -r _; for _ in 1 2 3 4 5; do "
                                        "docker rm --force --volumes \"$0\"; sleep 1; done",
                                        name},
                               .input = sees.get(),
                               .outlives_us = true});
  if (!process) return process.error();
  return Guard{std::move(life), std::move(*process)};
}

Result<OwnContainer> OwnContainer::create(const Options& options) {
  const std::string name = fmt::format("packet_bench-{:016x}", random_seed());
  auto guarded = guard(name);
  if (!guarded) return guarded.error();
  OwnContainer container(name, std::move(*guarded));
  Command command{
      .argv = {"create", "--name", container.name(), "--rm", "--pull", "never", "--label",
               fmt::format("io.slipway.packet_bench={}", ::getpid()),
               // Neither a process that comes every few seconds nor a log that the disk keeps.
               "--no-healthcheck", "--log-driver", "none"},
      .environment = current_environment()};
  const auto append = [&command](const std::vector<std::string>& more) {
    command.argv.insert(command.argv.end(), more.begin(), more.end());
  };
  // The path of a packet to a connector is an executable's: a published port would put a proxy or
  // address translation into it, whose time is nobody's.
  append(options.service ? as_deployed(*options.service)
                         : std::vector<std::string>{"--network", "host"});
  if (!options.file.empty()) {
    append({"--mount",
            fmt::format("type=bind,source={0},target={0},readonly", options.file.string())});
  }
  if (!options.processors.empty()) append({"--cpuset-cpus", options.processors});
  for (const auto& [variable, value] : options.secrets) {
    append({"--env", variable});
    (*command.environment)[variable] = value;
  }
  append({options.image});
  append(options.arguments);
  // To its end even when we are to stop: half of it could leave a container behind us.
  const auto created = docker(command);
  if (!created) return created.error();
  return container;
}

OwnContainer::~OwnContainer() {
  if (name_.empty()) return;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  for (;;) {
    const auto removed = docker({.argv = {"rm", "--force", "--volumes", name_}});
    if (removed) return;
    if (std::chrono::steady_clock::now() > deadline) {
      print_warning(program, fmt::format("cannot remove a container: {}; docker rm --force {}",
                                         removed.error().what, name_));
      return;
    }
    // When it has ended by itself, the engine is at it already (--rm), and refuses until it is
    // done.
    std::this_thread::sleep_for(50ms);
  }
}

Result<void> OwnContainer::signal(const std::string& signal_name) const {
  const auto sent = docker({.argv = {"kill", "--signal", signal_name, name_}});
  if (!sent) return sent.error();
  return {};
}

Result<void> OwnContainer::allow_processors(const std::string& processors) const {
  const auto changed = docker({.argv = {"update", "--cpuset-cpus", processors, name_}});
  if (!changed) return changed.error();
  return {};
}

std::vector<std::string> OwnContainer::start_command() const {
  return {"docker", "start", "--attach", name_};
}

}  // namespace slipway::bench
