#include "packet_bench/subject/own_container.hpp"

#include "base/command_line.hpp"
#include "base/random.hpp"
#include "packet_bench/common/program.hpp"

#include <chrono>
#include <random>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;

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
  if (done->exit_status != 0) return Error{ErrorKind::unreachable, line_of(done->err), {}};
  return line_of(done->out);
}

}  // namespace

Result<std::string> find_image(const std::string& reference, std::stop_token stop) {
  auto engine = docker({.argv = {"version", "--format", "{{.Server.Version}}"}}, stop);
  if (!engine) {
    Error error = engine.error();
    if (error.remedy.empty()) error.remedy = "start the Docker engine, or correct DOCKER_HOST";
    return error;
  }
  const Command inspect{.argv = {"image", "inspect", "--format", "{{.Id}}", "--", reference}};
  if (const auto id = docker(inspect, stop)) return id;
  const auto pulled =
      docker({.argv = {"pull", "--quiet", "--", reference}, .deadline = 10min}, stop);
  if (pulled) return docker(inspect, stop);
  if (pulled.error().kind == ErrorKind::cancelled) return pulled.error();
  return Error{ErrorKind::unreachable,
               fmt::format("there is no image {} here, and it cannot be pulled: {}", reference,
                           pulled.error().what),
               "build it, or correct the name"};
}

Result<OwnContainer> OwnContainer::create(const Options& options) {
  OwnContainer container(fmt::format("packet_bench-{:016x}", random_seed()));
  const std::string file = options.file.string();
  Command command{
      .argv = {"create", "--name", container.name(), "--rm", "--pull", "never", "--label",
               fmt::format("io.slipway.packet_bench={}", ::getpid()),
               // The path of a packet is an executable's: a published port would put a proxy or
               // address translation into it, whose time is nobody's.
               "--network", "host",
               // Neither a process that comes every few seconds nor a log that the disk keeps.
               "--no-healthcheck", "--log-driver", "none", "--mount",
               fmt::format("type=bind,source={0},target={0},readonly", file)},
      .environment = current_environment()};
  for (const auto& [variable, value] : options.secrets) {
    command.argv.insert(command.argv.end(), {"--env", variable});
    (*command.environment)[variable] = value;
  }
  command.argv.push_back(options.image);
  command.argv.insert(command.argv.end(), options.arguments.begin(), options.arguments.end());
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

std::vector<std::string> OwnContainer::start_command() const {
  return {"docker", "start", "--attach", name_};
}

}  // namespace slipway::bench
