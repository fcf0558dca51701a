#pragma once

#include "base/error.hpp"
#include "packet_bench/gate/gate.hpp"
#include "packet_bench/result/run_result.hpp"

#include <string>

namespace slipway::bench {

// benchmark-results.json: the fields that scripts and CI rely on at the top, everything else under
// `details`. Milliseconds and seconds as the names say; null where a value could not be had.
inline constexpr int schema_version = 1;

std::string to_json(const RunResult& result, const Verdict& verdict, const GateLimits& limits);

}  // namespace slipway::bench
