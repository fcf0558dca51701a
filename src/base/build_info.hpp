#pragma once

#include <string_view>

namespace slipway {

// What was built, compiled in. `version` is SLIPWAY_VERSION, by default the file VERSION at build
// time; `revision` is the full
// git SHA, or "unknown" where neither git nor SLIPWAY_REVISION told it; `build_type` is CMake's.
struct BuildInfo {
  std::string_view version;
  std::string_view revision;
  std::string_view build_type;
};

BuildInfo build_info();

}  // namespace slipway
