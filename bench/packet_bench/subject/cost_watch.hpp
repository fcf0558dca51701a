#pragma once

#include "base/error.hpp"
#include "packet_bench/subject/machine.hpp"

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

namespace slipway::bench {

// Where to see what a target uses: at a process, or at all of a container. None of them: nowhere.
struct CostSource {
  std::optional<pid_t> pid;
  std::string container;

  bool visible() const { return pid || !container.empty(); }
};

// What the target has used so far; nothing where that cannot be seen. Does not wait.
using CostLook = std::function<std::optional<ProcessUsage>()>;

// Errors (`usage`): no such process, or what find_container says.
Result<CostLook> look_at(const CostSource& source);

}  // namespace slipway::bench
