#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "packet_bench/duet/service_flags.hpp"
#include "packet_bench/power/power_record.hpp"

#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

// The gate's own error rates: how often it cries wolf, and what it catches (scripts/gate-power).
namespace slipway::bench {

// What became of the verdicts of one level.
struct PowerCount {
  std::size_t verdicts = 0;
  std::size_t regression = 0;
  std::size_t within_30s = 0;  // of the regressions
  std::size_t pass = 0;        // or improvement
  std::size_t inconclusive = 0;
  double median_s = 0;

  void add(DuetOutcome outcome, double elapsed_s, std::vector<double>& times);
};

struct PowerReplay {
  std::map<PowerLevel, PowerCount> disjoint;
  std::map<PowerLevel, PowerCount> resampled;
  std::map<PowerLevel, PowerCount> live;
  std::map<PowerLevel, std::size_t> recorded;  // pairs
  std::map<PowerLevel, double> shift;          // Hodges-Lehmann of all pairs' CPU, relative
};

struct ReplayPlan {
  DuetLimits limits;
  double max_duration_s = 90;
  double start_s = 1.5;       // of a round: processes and warm-up
  std::size_t windows = 200;  // resampled ones, a level
  std::uint64_t seed = 1;
};

// Judges windows of whole rounds as the live gate would have: consecutive ones that share nothing,
// and ones whose rounds are drawn at random with replacement.
PowerReplay replay(const Recording& recording, const ReplayPlan& plan);

// The table, and for each promise whether it held.
std::string power_table(const PowerReplay& result);
bool promises_held(const PowerReplay& result);

// `packet_bench power record|replay`.
class PowerCommand {
 public:
  explicit PowerCommand(Flags& command);
  int run(std::stop_token stop) const;

 private:
  int replay_file() const;
  Result<RecordPlan> record_plan() const;

  Flags record_;
  Flags replay_;
  std::string file_ = "gate-power.jsonl";
  std::string connector_;
  std::string image_;
  ServiceFlags service_;
  double rate_ = 10'000;
  std::vector<int> percents_;
  double minutes_ = 5;
  std::size_t windows_ = 200;
  std::uint64_t seed_ = 0;
};

}  // namespace slipway::bench
