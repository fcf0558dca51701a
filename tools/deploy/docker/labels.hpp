#pragma once

// The labels by which a container tells what it is.

#include "deploy/model/json_value.hpp"

#include <string>
#include <string_view>

namespace slipway::deploy {

// The full name of a label of ours.
std::string label(std::string_view name);

// The value of a label among `labels`; empty: there is none.
std::string label_of(const JsonValue& labels, std::string_view name);

// A query that filters a list of the engine's by labels, each NAME=VALUE.
std::string label_filter(const std::vector<std::string>& labels);

}  // namespace slipway::deploy
