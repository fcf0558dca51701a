#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace slipway::deploy {

// The version of the Docker Engine API to speak with an engine that says these of itself in
// /version, e.g. "1.44" and "1.52": the lowest that both know, because a version stays as it was
// first published while later ones drop fields. What is read here was the same from 1.41 (Docker
// 20.10) to 1.52 (Docker 29). Errors: failed, naming both sides and the remedy; protocol.
Result<std::string> choose_api_version(std::string_view engine_lowest,
                                       std::string_view engine_highest);

}  // namespace slipway::deploy
