#pragma once

// Releases and plans as JSON: in the journal, in labels of the engine's, in reports.

#include "deploy/model/plan.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace slipway::deploy {

nlohmann::json to_json(const Release& release);
Release release_from_json(const nlohmann::json& json);

// The same as one line of text; nothing where the text is no JSON object.
std::string to_json_text(const Release& release);
std::optional<Release> parse_release(std::string_view text);

nlohmann::json to_json(const Plan& plan);
Plan plan_from_json(const nlohmann::json& json);

}  // namespace slipway::deploy
