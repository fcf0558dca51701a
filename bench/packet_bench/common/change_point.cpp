#include "packet_bench/common/change_point.hpp"

#include "packet_bench/common/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace slipway::bench {
namespace {

constexpr int permutations = 1999;

// Ranks from 1, ties with their mean.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    double below = 0;
    double equal = 0;
    for (const double other : values) {
      if (other < values[i]) ++below;
      if (other == values[i]) ++equal;
    }
    ranks[i] = below + (equal + 1) / 2;
  }
  return ranks;
}

struct Split {
  std::size_t at = 0;
  double size = 0;
};

// The split at which the rank sum differs most from its mean, in its standard deviations.
Split largest_split(const std::vector<double>& ranks, std::size_t least) {
  const auto n = static_cast<double>(ranks.size());
  Split best;
  double sum = 0;
  for (std::size_t k = 1; k < ranks.size(); ++k) {
    sum += ranks[k - 1];
    if (k < least || ranks.size() - k < least) continue;
    const auto left = static_cast<double>(k);
    const double deviation = std::sqrt(left * (n - left) * (n + 1) / 12);
    const double size = std::abs(sum - left * (n + 1) / 2) / deviation;
    if (size > best.size) best = {k, size};
  }
  return best;
}

double spread(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  const auto at = [&](std::size_t i) { return values.begin() + static_cast<std::ptrdiff_t>(i); };
  const double middle = median({at(begin), at(end)});
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += std::abs(values[i] - middle);
  return sum;
}

// Where two levels describe the stretch best: the least sum of absolute distances from the medians.
std::size_t best_split(const std::vector<double>& values, std::size_t begin, std::size_t end,
                       std::size_t least) {
  std::size_t best = begin + least;
  double least_spread = std::numeric_limits<double>::infinity();
  for (std::size_t at = begin + least; at + least <= end; ++at) {
    const double sum = spread(values, begin, at) + spread(values, at, end);
    if (sum >= least_spread) continue;
    best = at;
    least_spread = sum;
  }
  return best;
}

void search(const std::vector<double>& values, std::size_t begin, std::size_t end, double alpha,
            std::size_t least, std::mt19937_64& random, std::vector<std::size_t>& steps,
            std::vector<double>& p_values) {
  if (end - begin < 2 * least) return;
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = values.begin() + static_cast<std::ptrdiff_t>(end);
  std::vector<double> ranks = ranks_of({first, last});
  const Split split = largest_split(ranks, least);
  int reached = 1;
  for (int i = 0; i < permutations; ++i) {
    std::shuffle(ranks.begin(), ranks.end(), random);
    if (largest_split(ranks, least).size >= split.size - 1e-12) ++reached;
  }
  const double p = static_cast<double>(reached) / (permutations + 1);
  if (split.at == 0 || p > alpha) return;
  const std::size_t at = best_split(values, begin, end, least);
  search(values, begin, at, alpha, least, random, steps, p_values);
  steps.push_back(at);
  p_values.push_back(p);
  search(values, at, end, alpha, least, random, steps, p_values);
}

}  // namespace

std::vector<ChangePoint> find_change_points(const std::vector<double>& values, double alpha,
                                            std::size_t least, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::size_t> steps;
  std::vector<double> p_values;
  search(values, 0, values.size(), alpha, least, random, steps, p_values);
  std::vector<ChangePoint> points;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto at = [&](std::size_t index) {
      return values.begin() + static_cast<std::ptrdiff_t>(index);
    };
    const std::size_t begin = i == 0 ? 0 : steps[i - 1];
    const std::size_t end = i + 1 == steps.size() ? values.size() : steps[i + 1];
    points.push_back({.at = steps[i],
                      .before = median({at(begin), at(steps[i])}),
                      .after = median({at(steps[i]), at(end)}),
                      .p_value = p_values[i]});
  }
  return points;
}

}  // namespace slipway::bench
