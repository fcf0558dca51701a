#pragma once

// Catch2 2 (Debian 12) or 3 (Ubuntu 24.04), whichever the distribution has; version 3's names.
#ifdef SLIPWAY_CATCH2_V2
#include <catch2/catch.hpp>
inline auto ContainsSubstring(const std::string& text) {
  return Catch::Matchers::Contains(text);
}
#else
#include <catch2/catch_all.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#endif
