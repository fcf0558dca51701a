#pragma once

#include "wire/ilp_packet.hpp"

#include <optional>

// The fixed-width UTC times of ILP (RFC 0027) and BTP (RFC 0023). Pure.
namespace slipway::wire {

inline constexpr std::size_t timestamp_size = 17;
inline constexpr std::size_t generalized_time_size = 19;

// Reads 17 ASCII digits, YYYYMMDDHHmmSSfff; nothing for anything else, and for a date or time of
// day that does not exist (month 13, hour 24, second 60).
std::optional<Timestamp> parse_timestamp(Bytes digits);

// Writes those 17 digits. A time outside the years 0 to 9999 becomes the nearest inside.
void format_timestamp(Timestamp time, std::uint8_t* out);

// Writes 19 bytes, YYYYMMDDHHmmSS.fffZ: BTP's GeneralizedTime.
void format_generalized_time(Timestamp time, std::uint8_t* out);

}  // namespace slipway::wire
