#include "deploy/model/plan.hpp"

namespace slipway::deploy {

nlohmann::json to_json(const Plan& plan) {
  nlohmann::json json = {{"operation", plan.rollback ? "rollback" : "deploy"},
                         {"target", to_json(plan.target)},
                         {"candidate", to_string(plan.candidate)},
                         {"recreate", plan.recreate},
                         {"warm", plan.warm},
                         {"actor", plan.actor},
                         {"reason", plan.reason}};
  if (plan.displaced) json["displaced"] = to_json(*plan.displaced);
  if (plan.old) json["old"] = to_json(*plan.old);
  return json;
}

Plan plan_from_json(const nlohmann::json& json) {
  Plan plan;
  plan.rollback = json.value("operation", "") == "rollback";
  plan.target = release_from_json(json.value("target", nlohmann::json::object()));
  plan.candidate = parse_colour(json.value("candidate", "")).value_or(Colour::blue);
  plan.recreate = json.value("recreate", false);
  plan.warm = json.value("warm", false);
  plan.actor = json.value("actor", "");
  plan.reason = json.value("reason", "");
  if (json.contains("displaced")) plan.displaced = release_from_json(json["displaced"]);
  if (json.contains("old")) plan.old = release_from_json(json["old"]);
  return plan;
}

}  // namespace slipway::deploy
