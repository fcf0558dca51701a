#pragma once

#include "base/error.hpp"
#include "packet_bench/duet/duet_load.hpp"

#include <array>
#include <iosfwd>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace slipway::bench {

// What the gate knows of one side of a pair: plain numbers, so that a recorded pair is judged by
// the code that judges a live one.
struct PairSide {
  double cpu_us_per_packet = 0;  // 0: could not be seen
  double p50_ms = 0;
  double p99_ms = 0;
  double fulfilled_share = 0;  // of the packets that were planned
  double memory_mb = 0;
  double wait_ms = 0;  // runnable, but not on a processor
};

// Both sides in the same slice of time.
struct Pair {
  unsigned round = 0;  // which pair of processes it came from
  double seconds = 0;
  double elapsed_s = 0;  // since its round's processes were started, at the end of the pair
  std::array<PairSide, 2> sides;
  double steal_share = 0;  // of all processors' time
  double stall_share =
      0;  // of the slice in which the generator did not run though packets were due
};

Pair to_pair(const DuetSlice& slice, unsigned round);

nlohmann::ordered_json to_json(const Pair& pair);
// Errors (`corrupt`): a field is missing or is no number of its range.
Result<Pair> pair_from_json(const nlohmann::ordered_json& json);

}  // namespace slipway::bench
