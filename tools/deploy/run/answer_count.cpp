#include "deploy/run/answer_count.hpp"

#include "deploy/run/survey.hpp"

namespace slipway::deploy {

bool has_own_counters(Ports& ports, const Plan& plan) {
  return plan.old && service_of(ports, plan.target).bake.good &&
         service_of(ports, *plan.old).bake.good;
}

Result<Totals> answers_of(Ports& ports, const Plan& plan, Colour colour) {
  if (!has_own_counters(ports, plan)) return ports.traffic.totals(colour);
  const service::Service service =
      service_of(ports, colour == plan.candidate ? plan.target : *plan.old);
  const auto pages = ports.health.metrics(colour, service);
  if (!pages) return pages.error();
  Totals sum;
  for (const std::string& page : *pages) {
    sum.add(parse_totals(page, service.bake));
  }
  return sum;
}

Totals baseline_of(const service::BakeRules& rules, const Totals& now,
                   const std::optional<Totals>& before) {
  if (!before) return now;
  Totals recent = now.since(*before);
  if (recent.answers() < rules.minimum_requests) return now;
  recent.recent_mean_s = now.recent_mean_s;
  return recent;
}

}  // namespace slipway::deploy
