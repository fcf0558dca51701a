#include "packet_bench/subject/container.hpp"

#include "base/durable_file.hpp"
#include "base/process.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end == text.data()) return std::nullopt;
  return number;
}

// Of a file of "key number" lines.
std::optional<std::uint64_t> value_of(const std::string& text, const std::string& key) {
  const std::size_t at = ("\n" + text).find("\n" + key + " ");
  if (at == std::string::npos) return std::nullopt;
  return number_of(std::string_view(text).substr(at + key.size() + 1));
}

bool has_controller(const std::string& list, const std::string& name) {
  return ("," + list + ",").find("," + name + ",") != std::string::npos;
}

Error no_container(const std::string& name, std::string_view why) {
  return {ErrorKind::usage, fmt::format("container {}: {}", name, why),
          "name a running container of this machine's engine"};
}

}  // namespace

std::optional<std::chrono::nanoseconds> ControlGroup::cpu_used() const {
  const auto text = cpu.empty() ? Result<std::string>(std::string()) : read_file(cpu);
  if (!text || text->empty()) return std::nullopt;
  if (cpu.filename() == "cpuacct.usage") {
    const auto ns = number_of(*text);
    if (!ns) return std::nullopt;
    return std::chrono::nanoseconds(*ns);
  }
  const auto us = value_of(*text, "usage_usec");
  if (!us) return std::nullopt;
  return std::chrono::microseconds(*us);
}

std::uint64_t ControlGroup::throttled() const {
  const auto text = quota.empty() ? Result<std::string>(std::string()) : read_file(quota);
  return text ? value_of(*text, "nr_throttled").value_or(0) : 0;
}

std::optional<std::uint64_t> ControlGroup::memory_bytes() const {
  if (memory.empty()) return std::nullopt;
  const auto text = read_file(memory);
  const auto charged = text ? number_of(*text) : std::nullopt;
  if (!charged) return std::nullopt;
  // What has been read or written of files stays charged until somebody needs the memory.
  const bool first_version = memory.filename() == "memory.usage_in_bytes";
  const auto details = read_file(memory.parent_path() / "memory.stat");
  const auto files =
      details ? value_of(*details, first_version ? "total_inactive_file" : "inactive_file")
              : std::nullopt;
  return *charged - std::min(*charged, files.value_or(0));
}

std::vector<pid_t> ControlGroup::processes() const {
  std::ifstream in(cpu.parent_path() / "cgroup.procs");
  return {std::istream_iterator<pid_t>(in), std::istream_iterator<pid_t>()};
}

ControlGroup control_group(const std::string& membership, const std::filesystem::path& root) {
  ControlGroup group;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (path == "/") continue;  // everybody's
    if (controllers.empty()) {
      if (group.cpu.empty()) group.cpu = root / path.substr(1) / "cpu.stat";
      if (group.quota.empty()) group.quota = root / path.substr(1) / "cpu.stat";
      if (group.memory.empty()) group.memory = root / path.substr(1) / "memory.current";
    }
    // A hierarchy of several controllers is mounted once and linked to under the name of each.
    if (has_controller(controllers, "cpuacct")) {
      group.cpu = root / "cpuacct" / path.substr(1) / "cpuacct.usage";
    }
    if (has_controller(controllers, "cpu")) {
      group.quota = root / "cpu" / path.substr(1) / "cpu.stat";
    }
    if (has_controller(controllers, "memory")) {
      group.memory = root / "memory" / path.substr(1) / "memory.usage_in_bytes";
    }
  }
  return group;
}

ControlGroup own_control_group() {
  const auto membership = read_file("/proc/self/cgroup");
  return membership ? control_group(*membership, "/sys/fs/cgroup") : ControlGroup{};
}

Result<Container> find_container(const std::string& name) {
  const char* const format =
      "{{.State.Pid}} {{.Id}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
  const auto asked = run_command(
      {.argv = {"docker", "inspect", "--type", "container", "--format", format, "--", name},
       .deadline = std::chrono::seconds(10)});
  if (!asked) return no_container(name, asked.error().what);
  if (asked->exit_status != 0) return no_container(name, "the engine knows no such container");
  const auto pid = number_of(asked->out);
  if (!pid || *pid == 0) return no_container(name, "it does not run");
  Container container{.pid = static_cast<pid_t>(*pid), .group = {}};
  // An engine on another machine, or behind a process namespace, counts processes differently:
  // that number is then another process here, or none.
  std::istringstream words(asked->out);
  std::string id;
  words >> id >> id >> container.address;
  const auto membership = read_file(fmt::format("/proc/{}/cgroup", *pid));
  if (!membership || membership->find(id) == std::string::npos) {
    return no_container(name, "its processes are not to be seen from here");
  }
  container.group = control_group(*membership, "/sys/fs/cgroup");
  return container;
}

void leave_processor_group(pid_t pid) {
  std::ofstream("/sys/fs/cgroup/cpu/cgroup.procs", std::ios::app) << pid;
}

std::optional<ProcessUsage> usage_of(const Watched& watched) {
  if (!watched.pid) return std::nullopt;
  auto usage = process_usage(*watched.pid);
  if (!usage) return std::nullopt;
  usage->cpu = watched.group.cpu_used().value_or(usage->cpu);
  usage->resident_bytes = watched.group.memory_bytes().value_or(usage->resident_bytes);
  return usage;
}

}  // namespace slipway::bench
