#include "packet_bench/duet/duet_places.hpp"

#include "packet_bench/subject/machine.hpp"

#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

template <typename Function>
void for_each_task(pid_t pid, Function&& function) {
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), gone)) {
    function(static_cast<pid_t>(std::stoi(task.path().filename())));
  }
}

}  // namespace

Places::Places(std::array<Processes, 2> processes, std::size_t first)
    : processes_(std::move(processes)), turn_(first), cpus_(allowed_processors()) {
  for (const Side side : {base, candidate}) find_tasks(side);
  // Both or none: a container may not be allowed to what a process is.
  first_ = put_first(tasks_[base]) && put_first(tasks_[candidate]);
  if (!first_) {
    for (const Tasks& tasks : tasks_) put_back(tasks);
  }
  settle();
}

Places::~Places() {
  for (const Side side : {base, candidate}) {
    find_tasks(side);
    put_back(tasks_[side]);
    for (const auto& [task, before] : tasks_[side]) {
      ::sched_setaffinity(task, sizeof before.cpus, &before.cpus);
    }
  }
}

std::optional<Places::Before> Places::state_of(pid_t task) {
  Before before;
  before.policy = ::sched_getscheduler(task);
  const bool known = before.policy >= 0 && ::sched_getparam(task, &before.priority) == 0 &&
                     ::sched_getaffinity(task, sizeof before.cpus, &before.cpus) == 0;
  return known ? std::optional(before) : std::nullopt;
}

// Those that have ended go. One that was made meanwhile inherited its place and priority from one
// that was moved; else it would have what the first one had before.
void Places::find_tasks(std::size_t side) {
  const Tasks before = std::exchange(tasks_[side], {});
  for (const pid_t pid : processes_[side]()) {
    for_each_task(pid, [&](pid_t task) {
      const auto known = before.find(task);
      auto state = known != before.end() ? std::optional(known->second)
                   : first_states_[side] ? first_states_[side]
                                         : state_of(task);
      if (!state) return;
      if (!first_states_[side]) first_states_[side] = state;
      tasks_[side].emplace(task, *state);
    });
  }
}

// Puts all threads before ordinary ones; false where that is not allowed. Else a connector that
// competes for its processor gets the share that the kernel finds fair: it waits for as long as it
// has run, meanwhile packets gather, and it serves them in larger batches; the CPU time it uses is
// that share, however slow it is, and a slowdown of 5 % was seen as one of 0.7 %.
bool Places::put_first(const Tasks& tasks) {
  const sched_param lowest{.sched_priority = 1};
  bool all = true;
  for (const auto& [task, before] : tasks) {
    all = ::sched_setscheduler(task, SCHED_FIFO, &lowest) == 0 && all;
  }
  return all;
}

void Places::put_back(const Tasks& tasks) {
  for (const auto& [task, before] : tasks) {
    ::sched_setscheduler(task, before.policy, &before.priority);
  }
}

std::vector<int> Places::generator() const {
  return cpus_.size() < 2 ? std::vector<int>{} : std::vector{cpus_.front()};
}

std::string Places::refused() const {
  if (first_ && moved_) return {};
  return fmt::format(
      "the kernel refused the connectors {}{}{}: run packet_bench as root, or with CAP_SYS_NICE",
      first_ ? "" : "real-time priority", first_ || moved_ ? "" : " and ",
      moved_ ? "" : "to change processors");
}

void Places::swap() {
  turn_ ^= 1;
  settle();
}

void Places::settle() {
  if (cpus_.size() < 2) return;
  for (std::size_t side = 0; side < 2; ++side) {
    find_tasks(side);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpus_[cpus_.size() - 1 - (side ^ turn_)]), &set);
    for (const auto& [task, before] : tasks_[side]) {
      const bool refused = ::sched_setaffinity(task, sizeof set, &set) != 0 && errno == EPERM;
      moved_ = moved_ && !refused;
    }
  }
}

}  // namespace slipway::bench
