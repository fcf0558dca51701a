#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace slipway::bench {

// Where a series steps from one level to another.
struct ChangePoint {
  std::size_t at = 0;  // index of the first value on the new level
  double before = 0;   // medians of the stretches on both sides
  double after = 0;
  double p_value = 1;
};

// The steps of a series, in order. A stretch has one when the largest of Pettitt's (1979) rank
// statistics, standardised over the splits, is reached by permutations of the stretch with a
// probability of at most `alpha`; it is where two medians describe the stretch best. What lies on
// its two sides is searched again. Ranks, so that one
// wild value is no step; stretches shorter than `least` are none either. The permutations come from
// `seed`, and the answer depends on nothing else.
std::vector<ChangePoint> find_change_points(const std::vector<double>& values, double alpha = 0.01,
                                            std::size_t least = 4, std::uint64_t seed = 1);

}  // namespace slipway::bench
