#pragma once

#include <cstdint>

namespace slipway::connector {

// The value of one smallest unit of an account's asset in a unit common to all accounts, as a
// fraction in lowest terms.
struct Ratio {
  std::uint64_t numerator = 1;
  std::uint64_t denominator = 1;
  bool operator==(const Ratio&) const = default;
};

}  // namespace slipway::connector
