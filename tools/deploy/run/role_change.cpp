#include "deploy/run/role_change.hpp"

#include "base/foreign_text.hpp"
#include "base/units.hpp"
#include "deploy/model/health.hpp"
#include "deploy/run/survey.hpp"

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

std::optional<std::string> missing_for(const Result<HealthAnswer>& answer,
                                       const Expectation& expected, const service::Service& service,
                                       Role role) {
  if (auto wrong = objection(answer, expected)) return wrong;
  if (service.has_roles && answer->role != to_string(role)) {
    return fmt::format("its role is {} and not {}", foreign_text(answer->role, 80),
                       to_string(role));
  }
  if (role == Role::active && !answer->ready) return not_ready(*answer, expected);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> wait_for_role(Ports& ports, Colour colour, const Release& release,
                                         Role role, std::chrono::nanoseconds deadline,
                                         std::stop_token stop) {
  const service::Service service = service_of(ports, release);
  const Expectation expected = expectation(release.revision, service);
  const auto give_up = ports.clock.now() + deadline;
  const auto before = ports.engine.inspect(colour);
  const int restarts_before = before ? before->restart_count : 0;
  for (;;) {
    const auto missing = missing_for(ports.health.ask(colour, service), expected, service, role);
    if (!missing) return std::nullopt;
    if (auto there = ports.engine.inspect(colour);
        there && (!there->running || there->restart_count > restarts_before)) {
      return fmt::format("{} {}", to_string(colour), death_of(*there));
    }
    if (ports.clock.now() >= give_up) {
      return fmt::format("{} within {}: {}", to_string(colour), format_duration(deadline),
                         without_secrets(ports, release, *missing));
    }
    if (stop.stop_requested()) return "a stop was requested";
    ports.clock.sleep_for(std::chrono::milliseconds(20), stop);
  }
}

}  // namespace slipway::deploy
