#include "deploy/run/host_status.hpp"

#include "base/foreign_text.hpp"
#include "deploy/model/health.hpp"
#include "deploy/run/survey.hpp"

#include <algorithm>

namespace slipway::deploy {
namespace {

std::optional<ColourStatus> colour_status(Ports& ports, const Ledger& ledger, Colour colour,
                                          const Instance& instance) {
  auto release = release_on(ports, ledger, instance);
  if (!release) return std::nullopt;
  const service::Service service = service_of(ports, *release);
  const auto answer = ports.health.ask(colour, service);
  ColourStatus status;
  status.objection = objection(answer, expectation(release->revision, service));
  const std::string said =
      foreign_line(words_of(answer), 200, ports.store.secrets(release->snapshot));
  if (!status.objection) status.objection = wrong_image(instance, *release, service);
  if (status.objection) {
    status.objection = without_secrets(ports, *release, *status.objection);
    if (!said.empty()) *status.objection += ": " + said;
  }
  status.release = std::move(*release);
  status.colour = colour;
  status.instance = instance;
  status.healthy = instance.running && !status.objection && answer->status == 200;
  if (answer && service.has_roles) status.role = foreign_text(answer->role, 80);
  status.ready = answer && answer->ready;
  return status;
}

}  // namespace

bool HostStatus::is_here(const Release& release) const {
  return std::none_of(gone.begin(), gone.end(),
                      [&](const Release& one) { return one.same_as(release); });
}

Result<HostStatus> host_status(Ports& ports, const Ledger& ledger) {
  auto found = survey(ports);
  if (!found) return found.error();
  HostStatus status;
  status.switch_running = found->switch_running;
  status.open = ledger.open();
  if (!ledger.history().empty()) status.last = ledger.history().back();
  status.proven = ledger.proven();
  auto gone = ports.engine.missing(status.proven);
  if (!gone) return gone.error();
  status.gone = std::move(*gone);
  if (found->active) {
    const auto on = [&](Colour colour) {
      return colour_status(ports, ledger, colour, found->on(colour));
    };
    status.running = on(*found->active);
    status.standby = on(other(*found->active));
  }
  return status;
}

}  // namespace slipway::deploy
