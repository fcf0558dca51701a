#pragma once

#include "base/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace slipway {

// "250ms", "10s", "1.5s", "2m", "1h", "50us": a non-negative duration with its unit. A number
// without a unit is refused (`usage`), and so is anything over 30 days.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// The shortest of the forms above that says it exactly to the microsecond, e.g. "1.5s".
std::string format_duration(std::chrono::nanoseconds duration);

// RFC 3339 in UTC with milliseconds: "2026-01-31T23:59:59.123Z".
std::string format_utc(std::chrono::system_clock::time_point time);

// The time that format_utc() wrote, with or without its fraction; nothing where it is none.
std::optional<std::chrono::system_clock::time_point> parse_utc(std::string_view text);

}  // namespace slipway
