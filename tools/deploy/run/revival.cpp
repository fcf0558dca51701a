#include "deploy/run/revival.hpp"

#include <csignal>

#include <fmt/core.h>

namespace slipway::deploy {

void promote_serving(World& world, const Survey& found, const Ledger& ledger) {
  if (!found.active || !found.on(*found.active).running) return;
  const auto release = release_on(world, ledger, found.on(*found.active));
  const auto answer = world.health.ask(*found.active, world.config.gate.timeout);
  if (!release || objection(answer, release->revision) || answer->role == "active") return;
  (void)world.engine.send_signal(*found.active, SIGUSR2);
}

Result<bool> start_named(World& world, const Survey& found) {
  if (!world.config.recreate || !found.active) return false;
  const Instance& named = found.on(*found.active);
  if (!named.exists || named.running) return false;
  if (auto flipped = world.proxy.flip(*found.active); !flipped) return flipped.error();
  return true;
}

Result<std::vector<std::string>> revive(World& world, const Survey& found, const Ledger& ledger,
                                        std::stop_token stop) {
  std::vector<std::string> done;
  if (!found.proxy_running && found.active) {
    if (auto started = world.engine.start_proxy(stop); !started) return started.error();
    done.emplace_back("HAProxy was started");
  }
  if (!found.active) return done;
  const Colour colour = *found.active;
  const Instance& serving = found.on(colour);
  const auto release = release_on(world, ledger, serving);
  if (!serving.exists || serving.running || !release) return done;
  if (auto started = world.engine.start(colour, *release, serving.transaction, stop); !started) {
    return started.error();
  }
  auto after = survey(world);
  if (!after) return after.error();
  if (!is_alive(world, colour, after->on(colour), *release, world.config.gate.deadline)) {
    return Error{ErrorKind::failed,
                 fmt::format("{} on {} was not running, was started and does not answer",
                             release->describe(), to_string(colour)),
                 "run 'rollback' to the version before, or look at the container's log"};
  }
  promote_serving(world, *after, ledger);
  done.push_back(fmt::format("{} on {} was not running and was started", release->describe(),
                             to_string(colour)));
  return done;
}

}  // namespace slipway::deploy
