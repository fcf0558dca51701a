#include "deploy/run/host_status.hpp"

#include "deploy/run/survey.hpp"

namespace slipway::deploy {

using nlohmann::json;

Result<HostStatus> host_status(World& world, const Ledger& ledger) {
  auto found = survey(world);
  if (!found) return found.error();
  const auto colour_json = [&](Colour colour) -> json {
    const Instance& instance = found->on(colour);
    const auto release = release_on(world, ledger, instance);
    if (!release) return nullptr;
    json side = to_json(*release);
    side["colour"] = to_string(colour);
    side["started"] = instance.running;
    side["restarts"] = instance.restart_count;
    const auto answer = world.health.ask(colour, world.config.gate.timeout);
    const auto wrong = objection(answer, release->revision);
    side["healthy"] = instance.running && !wrong && answer->status == 200;
    side["role"] = answer ? answer->role : "";
    side["ready"] = answer && answer->ready;
    if (wrong) side["objection"] = *wrong;
    return side;
  };
  json proven = json::array();
  for (const Release& release : ledger.proven()) proven.push_back(to_json(release));
  json status = {{"schemaVersion", 1}, {"proxyRunning", found->proxy_running},
                 {"running", nullptr}, {"standby", nullptr},
                 {"healthy", false},   {"open", nullptr},
                 {"proven", proven}};
  if (found->active) {
    status["running"] = colour_json(*found->active);
    status["standby"] = colour_json(other(*found->active));
    status["healthy"] = found->proxy_running && status["running"].is_object() &&
                        status["running"]["healthy"] == true && status["running"]["ready"] == true;
  }
  if (ledger.open()) {
    status["open"] = {{"transaction", ledger.open()->id},
                      {"step", to_string(ledger.open()->tail.at.step)},
                      {"attempts", ledger.open()->tail.attempts},
                      {"plan", to_json(ledger.open()->plan)}};
  }
  return HostStatus{std::move(status)};
}

}  // namespace slipway::deploy
