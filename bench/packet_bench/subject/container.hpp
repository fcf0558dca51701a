#pragma once

#include "base/error.hpp"
#include "packet_bench/subject/machine.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slipway::bench {

// The control group of a process, which counts all processes of its container. Empty paths where
// the process has none of its own.
struct ControlGroup {
  std::filesystem::path cpu;     // cpu.stat (version 2) or cpuacct.usage (version 1)
  std::filesystem::path memory;  // memory.current or memory.usage_in_bytes

  std::filesystem::path quota = {};  // cpu.stat of either version

  std::optional<std::chrono::nanoseconds> cpu_used() const;
  // How often the kernel withheld the processors from it, because its quota was used up.
  std::uint64_t throttled() const;
  // Without the page cache that is easily given back, as `docker stats` shows it.
  std::optional<std::uint64_t> memory_bytes() const;
  // Those in it now.
  std::vector<pid_t> processes() const;
};
// `membership`: the text of /proc/PID/cgroup; `root`: /sys/fs/cgroup.
ControlGroup control_group(const std::string& membership, const std::filesystem::path& root);
// That of this process.
ControlGroup own_control_group();

struct Container {
  pid_t pid;  // its first process, as the host sees it
  ControlGroup group;
  std::string address = {};  // in the engine's network; empty: it has none of its own
};

// Asks the `docker` command for a running container. Errors (`usage`): no docker, no such
// container, it does not run, or its processes are not this machine's.
Result<Container> find_container(const std::string& name);

// Puts a process among those that are in no container, as to processors. Where real time is shared
// out by groups (CONFIG_RT_GROUP_SCHED, version 1), a container's group has none of it. Does
// nothing where that is not allowed, or version 2 rules.
void leave_processor_group(pid_t pid);

// What to watch, if it is on this machine: a process, or with `group` all of its container.
struct Watched {
  std::optional<pid_t> pid = {};
  ControlGroup group = {};
  std::string name = {};  // of the container
};
// What it has used so far; nothing when there is nothing to see.
std::optional<ProcessUsage> usage_of(const Watched& watched);

}  // namespace slipway::bench
