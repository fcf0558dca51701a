#include "deploy/model/plan_json.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace slipway::deploy {

Json to_json(const Release& release) {
  return {{"repository", release.repository},
          {"tag", release.tag},
          {"digest", release.digest},
          {"imageId", release.image_id},
          {"revision", release.revision},
          {"version", release.version},
          {"oldestReturn", release.oldest_return},
          {"snapshot", release.snapshot}};
}

Release release_from_json(const Json& json) {
  return {json.value("repository", ""),   json.value("tag", ""),      json.value("digest", ""),
          json.value("imageId", ""),      json.value("revision", ""), json.value("version", ""),
          json.value("oldestReturn", ""), json.value("snapshot", "")};
}

std::string to_json_text(const Release& release) {
  return to_text(to_json(release));
}

std::optional<Release> parse_release(std::string_view text) {
  const auto json = parse_json(text);
  if (!json.is_object()) return std::nullopt;
  // It may be anybody's.
  const bool strings =
      std::all_of(json.begin(), json.end(), [](const Json& value) { return value.is_string(); });
  return strings ? std::optional(release_from_json(json)) : std::nullopt;
}

Json to_json(const Plan& plan) {
  Json json = {{"operation", plan.rollback ? "rollback" : "deploy"},
               {"target", to_json(plan.target)},
               {"candidate", to_string(plan.candidate)},
               {"recreate", plan.strategy == StrategyKind::recreate},
               {"warm", plan.warm},
               {"actor", plan.actor},
               {"reason", plan.reason}};
  if (plan.displaced) json["displaced"] = to_json(*plan.displaced);
  if (plan.old) json["old"] = to_json(*plan.old);
  return json;
}

Plan plan_from_json(const Json& json) {
  Plan plan;
  plan.rollback = json.value("operation", "") == "rollback";
  plan.target = release_from_json(json.value("target", Json::object()));
  plan.candidate = parse_colour(json.value("candidate", "")).value_or(Colour::blue);
  if (json.value("recreate", false)) plan.strategy = StrategyKind::recreate;
  plan.warm = json.value("warm", false);
  plan.actor = json.value("actor", "");
  plan.reason = json.value("reason", "");
  if (json.contains("displaced")) plan.displaced = release_from_json(json["displaced"]);
  if (json.contains("old")) plan.old = release_from_json(json["old"]);
  return plan;
}

}  // namespace slipway::deploy
