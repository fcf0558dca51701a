#include "packet_bench/subject/cost_watch.hpp"

#include "packet_bench/subject/container.hpp"

#include <fmt/core.h>

namespace slipway::bench {

Result<CostLook> look_at(const CostSource& source) {
  Watched watched{.pid = source.pid};
  if (!source.container.empty()) {
    const auto container = find_container(source.container);
    if (!container) return container.error();
    watched = {.pid = container->pid, .group = container->group, .name = source.container};
  }
  if (source.visible() && !usage_of(watched)) {
    return Error{ErrorKind::usage, fmt::format("there is no process {} here", *watched.pid),
                 "name one of this machine"};
  }
  return CostLook([watched] { return usage_of(watched); });
}

}  // namespace slipway::bench
