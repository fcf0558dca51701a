#pragma once

#include <string_view>

namespace slipway::bench {

// The name that errors and warnings begin with.
inline constexpr std::string_view program = "packet_bench";

}  // namespace slipway::bench
