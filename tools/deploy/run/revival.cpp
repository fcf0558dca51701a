#include "deploy/run/revival.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

void promote_serving(Ports& ports, const Survey& found, const Ledger& ledger) {
  if (!found.active || !found.on(*found.active).running) return;
  const auto release = release_on(ports, ledger, found.on(*found.active));
  if (!release) return;
  const service::Service service = service_of(ports, *release);
  if (!service.has_roles) return;
  const auto answer = ports.health.ask(*found.active, service);
  const bool lives = !objection(answer, expectation(release->revision, service));
  if (lives && answer->role != to_string(Role::active)) {
    (void)ports.engine.set_role(*found.active, Role::active);
  }
}

Result<std::vector<std::string>> revive(Ports& ports, Strategy& strategy, const Survey& found,
                                        const Ledger& ledger, std::stop_token stop) {
  std::vector<std::string> done;
  if (!found.switch_running && found.active) {
    if (auto started = ports.traffic.bring_up(services_on(ports, found), stop); !started)
      return started.error();
    done.push_back(fmt::format("{} was started", ports.traffic.words().name));
  }
  if (!found.active) return done;
  const Colour colour = *found.active;
  const Instance& serving = found.on(colour);
  const auto release = release_on(ports, ledger, serving);
  if (!serving.exists || serving.running || !release) return done;
  if (auto started = strategy.place(colour, *release, serving.transaction, stop); !started) {
    return started.error();
  }
  auto after = survey(ports);
  if (!after) return after.error();
  if (!is_alive(ports, colour, after->on(colour), *release,
                service_of(ports, *release).proof.deadline)) {
    return Error{ErrorKind::failed,
                 fmt::format("{} on {} was not running, was started and does not answer",
                             release->describe(), to_string(colour)),
                 "run 'rollback' to the version before, or look at the container's log"};
  }
  promote_serving(ports, *after, ledger);
  done.push_back(fmt::format("{} on {} was not running ({}) and was started", release->describe(),
                             to_string(colour), death_of(serving)));
  return done;
}

}  // namespace slipway::deploy
