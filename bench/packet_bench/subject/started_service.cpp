#include "packet_bench/subject/started_service.hpp"

#include "base/random.hpp"
#include "base/units.hpp"
#include "net/http_client.hpp"
#include "packet_bench/common/clock.hpp"
#include "packet_bench/subject/machine.hpp"
#include "packet_bench/target/http_channel.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include <fmt/core.h>
#include <fmt/format.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto address_deadline = 20s;
constexpr std::size_t told_lines = 5;

// What leaves a group that also counts what is used (`cpu,cpuacct`) is not counted any more.
bool is_counted_by_the_group_it_would_leave() {
  std::error_code absent;
  return std::filesystem::equivalent("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpuacct", absent);
}

Error interrupted() {
  return {ErrorKind::cancelled, "interrupted", {}};
}

std::string last_of(const std::vector<int>& processors) {
  return processors.size() > 1 ? std::to_string(processors.back()) : std::string();
}

// What the caller's environment has of the service's secrets; of the others any value does to
// start.
Environment secrets_for(const service::Service& service) {
  const Environment known = current_environment();
  Environment secrets;
  for (const std::string& name : service.secrets) {
    const auto found = known.find(name);
    secrets[name] = found != known.end() ? found->second : fmt::format("{:016x}", random_seed());
  }
  return secrets;
}

}  // namespace

Result<StartedService> StartedService::start(const std::string& image,
                                             const service::Service& service,
                                             std::stop_token stop) {
  auto folder = OwnFolder::create();
  if (!folder) return folder.error();
  const auto processors = allowed_processors();
  // It is to run on one at a time, and sizes itself by how many it sees when it starts: threads for
  // two that share one wait for each other.
  auto container = OwnContainer::create({.image = image,
                                         .secrets = secrets_for(service),
                                         .service = service,
                                         .processors = last_of(processors)});
  if (!container) return container.error();
  const auto argv = container->start_command();
  auto process =
      OwnProcess::start(argv, current_environment(), std::move(*folder), std::move(*container));
  if (!process) return process.error();
  StartedService started(std::move(*process), service.name.empty() ? "the service" : service.name);
  started.target_ = {.scheme = &http_scheme, .port = service.port, .path = service.gate.path};
  if (const auto found = started.await_address(stop); !found) return found.error();
  if (const auto ready = started.await_ready(service, stop); !ready) return ready.error();
  // Where a service has roles, ready is not active yet.
  if (service.has_roles) {
    const auto told = started.process_.container()->signal("SIGUSR2");
    if (!told) return told.error();
  }
  if (processors.size() > 1) {
    const auto allowed = started.process_.container()->allow_processors(
        fmt::format("{}", fmt::join(processors, ",")));
    if (!allowed) return allowed.error();
  }
  if (!is_counted_by_the_group_it_would_leave()) {
    for (const pid_t pid : started.processes()) leave_processor_group(pid);
  }
  return started;
}

Result<void> StartedService::await_address(const std::stop_token& stop) {
  const auto deadline = Clock::now() + address_deadline;
  for (;;) {
    if (const auto ended = death()) return Error{ErrorKind::unreachable, *ended, {}};
    const auto container = find_own(*process_.container());
    if (container && !container->address.empty()) {
      group_ = container->group;
      target_.host = container->address;
      return {};
    }
    if (stop.stop_requested()) return interrupted();
    if (Clock::now() > deadline) {
      if (!container) return container.error();
      return Error{ErrorKind::unreachable, "the engine gave the container no address of its own",
                   "let the engine have its bridge network"};
    }
    std::this_thread::sleep_for(20ms);
  }
}

Result<void> StartedService::await_ready(const service::Service& service,
                                         const std::stop_token& stop) {
  const auto deadline = Clock::now() + service.proof.deadline;
  for (;;) {
    const auto answer = net::http_request({.host = target_.host,
                                           .port = target_.port,
                                           .target = service.ready,
                                           .deadline = service.proof.timeout},
                                          stop);
    if (answer && answer->status == 200) return {};
    if (const auto ended = death()) return Error{ErrorKind::unreachable, *ended, {}};
    if (stop.stop_requested()) return interrupted();
    if (Clock::now() > deadline) {
      return Error{
          ErrorKind::unreachable,
          fmt::format("{} did not answer 200 at http://{}:{}{} within {}: {}; it logged: {}", name_,
                      target_.host, target_.port, service.ready,
                      format_duration(service.proof.deadline),
                      answer ? fmt::format("it answered {}", answer->status) : answer.error().what,
                      process_.last_words(told_lines)),
          "correct its port and its path of readiness, or the image"};
    }
    std::this_thread::sleep_for(20ms);
  }
}

std::optional<std::string> StartedService::death() {
  return process_.death(name_, told_lines);
}

}  // namespace slipway::bench
