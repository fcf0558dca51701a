#pragma once

#include <cmath>
#include <string>

#include <fmt/core.h>

namespace slipway::bench {

// A relative difference as people read it: 0.015 is "+1.50 %".
inline std::string signed_percent(double share, int decimals = 2) {
  return std::isfinite(share) ? fmt::format("{:+.{}f} %", 100 * share, decimals) : "unknown";
}

// A bound as it was set: 0.015 is "+1.5 %", 0.25 is "+25 %".
std::string bound_percent(double share);

// An estimate with its interval, in as many decimals as the interval is worth: half of it has one
// significant digit. 0.817323 from 0.75 to 0.88 is "+82 % (+75 % to +88 %)".
std::string worth_text(double estimate, double low, double high);

// A duration in milliseconds with three significant digits, in the unit that it is read in:
// "42 µs", "1.5 ms", "1.2 s".
std::string short_time(double ms);

}  // namespace slipway::bench
