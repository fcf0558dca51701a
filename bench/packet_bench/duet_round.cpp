#include "packet_bench/duet_round.hpp"

#include "packet_bench/embedded.hpp"
#include "packet_bench/schedule.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sched.h>

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

// Which processors there are to choose from.
std::vector<int> allowed_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<pid_t> tasks_of(pid_t pid) {
  std::vector<pid_t> tasks;
  for_each_task(pid, [&](pid_t task) { tasks.push_back(task); });
  return tasks;
}

// The sending loop keeps the first processor, the two connectors have the last two and change
// places. On two processors one of them is beside the sending loop; on one there is no choice.
class Places {
 public:
  Places(std::array<pid_t, 2> connectors, std::size_t first)
      : tasks_{tasks_of(connectors[base]), tasks_of(connectors[candidate])},
        turn_(first),
        cpus_(allowed_cpus()) {
    settle();
  }

  std::vector<int> generator() const {
    return cpus_.size() < 2 ? std::vector<int>{} : std::vector{cpus_.front()};
  }
  void swap() {
    turn_ ^= 1;
    settle();
  }

 private:
  void settle() {
    if (cpus_.size() < 2) return;
    for (std::size_t side = 0; side < 2; ++side) {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(static_cast<std::size_t>(cpus_[cpus_.size() - 1 - (side ^ turn_)]), &set);
      for (const pid_t task : tasks_[side]) ::sched_setaffinity(task, sizeof set, &set);
    }
  }

  std::array<std::vector<pid_t>, 2> tasks_;
  std::size_t turn_;
  std::vector<int> cpus_;
};

// Puts all threads of the process before ordinary ones, where that is allowed. Else a connector
// that competes for its processor gets the share that the kernel finds fair: it waits for as long
// as it has run, meanwhile packets gather, and it serves them in larger batches; the CPU time it
// uses is that share, however slow it is, and a slowdown of 5 % was seen as one of 0.7 %.
void put_first(pid_t pid) {
  const sched_param lowest{.sched_priority = 1};
  for_each_task(pid, [&](pid_t task) { ::sched_setscheduler(task, SCHED_FIFO, &lowest); });
}

}  // namespace

Result<void> play_round(const DuetRound& round, const std::function<bool(const Pair&)>& on_pair,
                        std::stop_token stop) {
  const TimePoint begin = Clock::now();
  std::array<std::optional<EmbeddedConnector>, 2> connectors;
  const std::size_t first = mixed(round.seed) & 1;
  for (const std::size_t side : {first, 1 - first}) {
    auto started = EmbeddedConnector::start(
        {.executable = round.executables[side], .extra_cpu_percent = round.extra_cpu_percent[side]},
        stop);
    if (!started) {
      Error error = started.error();
      error.what = std::string(side_names[side]) + ": " + error.what;
      return error;
    }
    put_first(started->pid());
    connectors[side].emplace(std::move(*started));
  }
  DuetPlan plan;
  plan.rate = round.rate;
  plan.seed = round.seed;
  plan.warmup = round.warmup;
  plan.slice = round.slice;
  Places places({connectors[base]->pid(), connectors[candidate]->pid()}, first);
  plan.cpu_affinity = places.generator();
  for (std::size_t side = 0; side < 2; ++side) {
    plan.sides[side] = {.sender = connectors[side]->senders().front(),
                        .receiver = connectors[side]->receiver(),
                        .destination = connectors[side]->destination(),
                        .pid = connectors[side]->pid()};
  }
  plan.on_turn = [&] { places.swap(); };
  const auto on_slice = [&](const DuetSlice& slice) {
    Pair pair = to_pair(slice, round.number);
    pair.elapsed_s = std::chrono::duration<double>(Clock::now() - begin).count();
    return on_pair(pair);
  };
  const auto played = drive_duet(plan, on_slice, stop);
  for (std::size_t side = 0; side < 2; ++side) {
    if (const auto death = connectors[side]->death()) {
      return Error{ErrorKind::unreachable, std::string(side_names[side]) + ": " + *death, {}};
    }
  }
  return played;
}

}  // namespace slipway::bench
