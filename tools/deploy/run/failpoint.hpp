#pragma once

#include <functional>
#include <string>

namespace slipway::deploy {

// What a test sets to end a run at an exact point, as a power cut would: SLIPWAY_FAILPOINT is the
// name of a point ("flip:map:after") or its number in the order in which points are passed, and
// the process kills itself there. With SLIPWAY_FAILPOINT_LOG=FILE every point passed is appended.
std::function<void(const std::string&)> failpoint_from_environment();

}  // namespace slipway::deploy
