#pragma once

// How the engine is asked for what has our labels.

#include "deploy/model/image_labels.hpp"

#include <string>
#include <vector>

namespace slipway::deploy {

// A query that filters a list of the engine's by labels, each NAME=VALUE.
std::string label_filter(const std::vector<std::string>& labels);

}  // namespace slipway::deploy
