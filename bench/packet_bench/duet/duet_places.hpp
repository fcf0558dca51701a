#pragma once

#include "packet_bench/duet/duet_load.hpp"

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slipway::bench {

// Where two programs run while both are driven, and before which others. All is as it was once
// this ends: a process that was running before the duet goes on after it.
//
// The sending loop keeps the first processor, the two have the last two and change places, so that
// what one has as a neighbour the other has as well. On two processors one of them is beside the
// sending loop; on one there is no choice.
class Places {
 public:
  using Processes = std::function<std::vector<pid_t>()>;  // that one of the two has now

  // `first`: which of the two has the last processor first.
  Places(std::array<Processes, 2> processes, std::size_t first);
  ~Places();
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  std::vector<int> generator() const;
  void swap();
  // What the kernel refused so far, as a sentence; empty when it was nothing.
  std::string refused() const;

 private:
  struct Before {
    int policy = 0;
    sched_param priority{};
    cpu_set_t cpus{};
  };
  using Tasks = std::map<pid_t, Before>;  // threads, as they were found

  static std::optional<Before> state_of(pid_t task);
  void find_tasks(std::size_t side);
  static bool put_first(const Tasks& tasks);
  static void put_back(const Tasks& tasks);
  void settle();

  std::array<Processes, 2> processes_;
  std::array<std::optional<Before>, 2> first_states_;  // of the first thread of each
  std::array<Tasks, 2> tasks_;
  std::size_t turn_;
  std::vector<int> cpus_;
  bool first_ = false;  // at real-time priority
  bool moved_ = true;
};

}  // namespace slipway::bench
