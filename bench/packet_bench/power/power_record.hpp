#pragma once

#include "base/error.hpp"
#include "packet_bench/duet/duet.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

// What the gate's error rates are computed from: pairs and verdicts, recorded and read back.
namespace slipway::bench {

// The conditions under which pairs are recorded: the candidate spends `percent` more CPU a packet
// than the same program does as the base, and a CPU hog beside both is switched on and off at
// random, or not.
struct PowerLevel {
  int percent = 0;
  bool hog = false;
  auto operator<=>(const PowerLevel&) const = default;
  std::string name() const;
};
inline const std::vector<PowerLevel> power_levels{
    {0, false}, {3, false}, {5, false}, {10, false}, {0, true}};

using RecordedRound = std::vector<Pair>;

// A verdict reached live, as the recording keeps it.
struct LiveVerdict {
  DuetOutcome outcome = DuetOutcome::inconclusive;
  double elapsed_s = 0;
};

struct Recording {
  std::map<PowerLevel, std::vector<RecordedRound>> rounds;
  std::map<PowerLevel, std::vector<LiveVerdict>> live;
};

// JSON lines: a round or a verdict in each. Errors: not_found, io, corrupt (with the line's
// number).
Result<Recording> read_recording(const std::filesystem::path& file);

struct RecordPlan {
  std::filesystem::path file;  // appended to
  DuetOptions duet;            // the same target on both sides, and how it is driven
  std::vector<PowerLevel> levels = power_levels;
  double minutes = 5;  // in which verdicts are begun
  std::uint64_t seed = 1;
};

// Plays duets at every level, interleaved, and appends what they saw. The exit status.
int record_power(const RecordPlan& plan, const std::stop_token& stop);

}  // namespace slipway::bench
