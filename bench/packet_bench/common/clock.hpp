#pragma once

#include <chrono>

namespace slipway::bench {

// All measuring is on the monotonic clock; wall-clock time appears in expiries and reports only.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

}  // namespace slipway::bench
