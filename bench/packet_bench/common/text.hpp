#pragma once

#include <cmath>
#include <string>

#include <fmt/core.h>

namespace slipway::bench {

// A relative difference as people read it: 0.015 is "+1.50 %".
inline std::string signed_percent(double share, int decimals = 2) {
  return std::isfinite(share) ? fmt::format("{:+.{}f} %", 100 * share, decimals) : "unknown";
}

}  // namespace slipway::bench
