#pragma once

#include "packet_bench/result/run_result.hpp"

#include <chrono>
#include <vector>

namespace slipway::bench {

// Did the target keep pace with the schedule?
//
// A target that can do less than the rate falls further behind with every slice; one that can do
// more catches up after any disturbance. So the question is not how many answers came before some
// instant (which a stall of the machine decides), but whether the lag grows: the lag of a slice is
// the least time to fulfilled within it, which a stall shorter than the slice does not touch. It
// counts from the send, so that a generator that fell behind is not taken for a slow target; that
// is told apart by generator_growth.
//
//   growth    = lag of the last slice - the least lag of all
//   kept pace   when growth <= resolution of the window: within what can be told apart
//   otherwise   the growth per slice decides, over the slices that were not disturbed. Disturbed is
//               a slice in which steal, the target's wait for a processor and the generator's own
//               stalls add up to more than disturbed_share of it: a rule on causes, fixed
//               beforehand. If the lag grew in the clean slices, the target was too slow; if it did
//               not, the growth came with the disturbance and is not held against the target. With
//               too few clean slices the median growth over all of them decides if it is clear
//               and the target did not wait for a processor as long as it fell behind; else the
//               run is `undetermined`: invalid, to be repeated.
//
// An overloaded target can not be passed by luck: its lag never shrinks, whatever happens.
struct Pace {
  enum class Kind { kept, kept_despite_disturbance, fell_behind, undetermined };

  static constexpr double resolution = 0.005;
  static constexpr double disturbed_share = 0.05;

  Kind kind = Kind::kept;
  std::chrono::nanoseconds growth{0};
  std::chrono::nanoseconds counted{0};  // the part of the growth that is held against the target
  double clean_slope = 0;               // lag gathered per second in the clean slices
  std::size_t slices = 0;
  std::size_t disturbed = 0;
};

// How much further behind the schedule the generator itself was at the end than at its best.
std::chrono::nanoseconds generator_growth(const std::vector<PaceSlice>& slices);

Pace analyse_pace(const std::vector<PaceSlice>& slices, std::chrono::nanoseconds window);

// Verified fulfilments a second that kept pace: fulfilled / (window + the growth that counts).
// A target that serves exactly R < rate packets a second gathers (rate / R - 1) seconds of lag a
// second, so this is R; one that keeps pace gets fulfilled / window.
double sustained_tps(const RunResult& result);

}  // namespace slipway::bench
