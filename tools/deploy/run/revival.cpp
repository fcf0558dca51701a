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

namespace {

// Whether what was just started answers in the time that its service has for it. What ends or is
// restarted meanwhile does not come alive by waiting, and whoever wants to roll back waits for it.
bool comes_alive(Ports& ports, Colour colour, const Instance& started, const Release& release,
                 std::stop_token stop) {
  const auto give_up = ports.clock.now() + service_of(ports, release).proof.deadline;
  for (;;) {
    const auto there = ports.engine.inspect(colour);
    if (there) {
      if (!there->running || there->restart_count > started.restart_count) return false;
      if (is_alive(ports, colour, *there, release, std::chrono::nanoseconds::zero())) return true;
    }
    if (ports.clock.now() >= give_up || stop.stop_requested()) return false;
    ports.clock.sleep_for(std::chrono::milliseconds(100), stop);
  }
}

}  // namespace

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
  // As it is, with its log, which tells why it died; anew where that cannot be.
  if (!ports.engine.start_again(colour)) {
    auto placed = strategy.place(colour, *release, serving.transaction, stop);
    if (!placed) return placed.error();
  }
  auto after = survey(ports);
  if (!after) return after.error();
  if (!comes_alive(ports, colour, after->on(colour), *release, stop)) {
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
