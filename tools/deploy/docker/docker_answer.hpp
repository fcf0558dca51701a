#pragma once

// Reading what the engine and its command line answer.

#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace slipway::deploy {

// The value at a path of object fields, or null.
const nlohmann::json& at(const nlohmann::json& document, std::initializer_list<const char*> path);

// A string's value; empty for anything else.
std::string text(const nlohmann::json& value);

// The full name of a label of ours, and the value of a label among `labels` (empty: there is none).
std::string label(std::string_view name);
std::string label_of(const nlohmann::json& labels, std::string_view name);

}  // namespace slipway::deploy
