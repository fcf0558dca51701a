#include "packet_bench/result/pace.hpp"

#include <algorithm>
#include <optional>

namespace slipway::bench {
namespace {

using std::chrono::nanoseconds;

// Growth from one slice to the next, and whether others had a hand in it.
struct Step {
  double growth_ns;
  bool clean;
};

std::vector<Step> steps_between(const std::vector<PaceSlice>& slices, double slice_ns) {
  const auto disturbed = [&](const PaceSlice& slice) {
    const nanoseconds taken = slice.generator_stall + slice.steal + slice.target_wait;
    return static_cast<double>(taken.count()) > Pace::disturbed_share * slice_ns;
  };
  std::vector<Step> steps;
  std::optional<std::size_t> previous;
  bool between_clean = true;  // also the slices without a lag lie between two steps
  for (std::size_t i = 0; i < slices.size(); ++i) {
    between_clean = between_clean && !disturbed(slices[i]);
    if (!slices[i].least_lag) continue;
    if (previous) {
      const nanoseconds growth = *slices[i].least_lag - *slices[*previous].least_lag;
      steps.push_back({static_cast<double>(growth.count()), between_clean});
    }
    previous = i;
    between_clean = !disturbed(slices[i]);
  }
  return steps;
}

// The time in which the target would have run, had others let it.
nanoseconds taken_from_target(const std::vector<PaceSlice>& slices) {
  nanoseconds sum{0};
  for (const PaceSlice& slice : slices) sum += slice.steal + slice.target_wait;
  return sum;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What the steps say once the lag is known to have grown; `slope` is per slice length.
Pace::Kind judged(const std::vector<Step>& steps, double slice_ns, double& clean_slope,
                  bool explained) {
  const double too_steep = Pace::resolution / 2;
  double clean_growth = 0;
  std::size_t clean = 0;
  std::vector<double> slopes;
  for (const Step& step : steps) {
    slopes.push_back(step.growth_ns / slice_ns);
    if (!step.clean) continue;
    clean_growth += step.growth_ns;
    ++clean;
  }
  if (clean >= std::max<std::size_t>(4, steps.size() / 5)) {
    clean_slope = clean_growth / (static_cast<double>(clean) * slice_ns);
    return clean_slope > too_steep ? Pace::Kind::fell_behind : Pace::Kind::kept_despite_disturbance;
  }
  const double typical = slopes.empty() ? 0 : median(slopes);
  clean_slope = typical;
  return typical > too_steep && !explained ? Pace::Kind::fell_behind : Pace::Kind::undetermined;
}

}  // namespace

nanoseconds generator_growth(const std::vector<PaceSlice>& slices) {
  std::optional<nanoseconds> least;
  nanoseconds last{0};
  for (const PaceSlice& slice : slices) {
    if (!slice.least_lateness) continue;
    least = std::min(least.value_or(*slice.least_lateness), *slice.least_lateness);
    last = *slice.least_lateness;
  }
  return least ? last - *least : nanoseconds(0);
}

Pace analyse_pace(const std::vector<PaceSlice>& slices, nanoseconds window) {
  Pace pace;
  pace.slices = slices.size();
  if (slices.empty()) return pace;
  const double slice_ns = static_cast<double>(window.count()) / static_cast<double>(slices.size());
  std::optional<nanoseconds> least;
  std::optional<nanoseconds> last;
  for (const PaceSlice& slice : slices) {
    const nanoseconds taken = slice.generator_stall + slice.steal + slice.target_wait;
    if (static_cast<double>(taken.count()) > Pace::disturbed_share * slice_ns) ++pace.disturbed;
    if (!slice.least_lag) continue;
    least = std::min(least.value_or(*slice.least_lag), *slice.least_lag);
    last = slice.least_lag;
  }
  // Nothing was fulfilled: that is said by the counts, not by the pace.
  if (!least) return pace;
  pace.growth = *last - *least;
  const std::vector<Step> steps = steps_between(slices, slice_ns);
  const double bound = Pace::resolution * static_cast<double>(window.count());
  if (static_cast<double>(pace.growth.count()) <= bound) return pace;
  pace.kind = judged(steps, slice_ns, pace.clean_slope, taken_from_target(slices) >= pace.growth);
  if (pace.kind == Pace::Kind::fell_behind) pace.counted = pace.growth;
  return pace;
}

double sustained_tps(const RunResult& result) {
  if (result.window_s <= 0) return 0;
  const auto window =
      std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(result.window_s));
  const Pace pace = analyse_pace(result.slices, window);
  const double behind_s = std::chrono::duration<double>(pace.counted).count();
  return static_cast<double>(result.packets.fulfilled) / (result.window_s + behind_s);
}

}  // namespace slipway::bench
