#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace slipway::connector {

// The outcomes that are counted apart: a fulfilment, each code of RFC 0027, and whatever other code
// a peer invents, together, so that no peer can make metric series at will.
inline constexpr std::array<std::string_view, 23> outcomes{
    "",    "F00", "F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F99",  "T00",
    "T01", "T02", "T03", "T04", "T05", "T99", "R00", "R01", "R02", "R99", "other"};
inline constexpr std::size_t fulfilled_outcome = 0;
inline constexpr std::size_t other_outcome = outcomes.size() - 1;

constexpr std::size_t outcome_of(std::string_view code) {
  for (std::size_t i = 1; i < other_outcome; ++i) {
    if (outcomes[i] == code) return i;
  }
  return other_outcome;
}

}  // namespace slipway::connector
