#include "packet_bench/common/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace slipway::bench {
namespace {

constexpr std::size_t most_exact = 30;
constexpr double infinity = std::numeric_limits<double>::infinity();

double normal_density(double z) {
  return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
}

// All (x_i + x_j) / 2 with i <= j.
std::vector<double> walsh_averages(std::span<const double> values) {
  std::vector<double> averages;
  averages.reserve(values.size() * (values.size() + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i; j < values.size(); ++j) averages.push_back((values[i] + values[j]) / 2);
  }
  return averages;
}

// Twice the rank of each |value|, so that the means of ties are whole numbers too.
std::vector<int> doubled_ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::abs(values[a]) < std::abs(values[b]);
  });
  std::vector<int> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && std::abs(values[order[end]]) == std::abs(values[order[begin]])) {
      ++end;
    }
    // Ranks begin + 1 to end; twice their mean.
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<int>(begin + 1 + end);
    begin = end;
  }
  return ranks;
}

// P(sum >= observed) where each rank counts with probability 1/2.
double exact_upper_p(const std::vector<int>& ranks, int observed) {
  int total = 0;
  for (const int rank : ranks) total += rank;
  std::vector<double> probability(static_cast<std::size_t>(total) + 1, 0);
  probability[0] = 1;
  int reached = 0;
  for (const int rank : ranks) {
    reached += rank;
    for (int sum = reached; sum >= 0; --sum) {
      const double without = probability[static_cast<std::size_t>(sum)];
      const double with = sum >= rank ? probability[static_cast<std::size_t>(sum - rank)] : 0;
      probability[static_cast<std::size_t>(sum)] = (without + with) / 2;
    }
  }
  double tail = 0;
  for (int sum = total; sum >= observed; --sum) tail += probability[static_cast<std::size_t>(sum)];
  return std::min(1.0, tail);
}

// The least W+ for which P(W+ >= w) <= alpha among n values without ties; n (n + 1) / 2 + 1 when
// there is none.
std::size_t critical_sum(std::size_t n, double alpha) {
  const std::size_t most = n * (n + 1) / 2;
  if (n > most_exact) {
    const auto count = static_cast<double>(n);
    const double mean = count * (count + 1) / 4;
    const double deviation = std::sqrt(count * (count + 1) * (2 * count + 1) / 24);
    const double sum = std::ceil(mean + 0.5 - normal_quantile(alpha) * deviation);
    return std::min(most + 1, static_cast<std::size_t>(sum));
  }
  std::vector<int> ranks(n);
  for (std::size_t i = 0; i < n; ++i) ranks[i] = static_cast<int>(i + 1);
  std::size_t critical = most + 1;
  while (critical > 0 && exact_upper_p(ranks, static_cast<int>(critical - 1)) <= alpha) --critical;
  return critical;
}

}  // namespace

double normal_upper_tail(double z) {
  return std::erfc(z / std::numbers::sqrt2) / 2;
}

double normal_quantile(double p) {
  if (p > 0.5) return -normal_quantile(1 - p);
  double low = -40;
  double high = 0;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (normal_upper_tail(-middle) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double hodges_lehmann(std::span<const double> values) {
  return median(walsh_averages(values));
}

double signed_rank_upper_p(std::span<const double> values) {
  std::vector<double> nonzero;
  std::copy_if(values.begin(), values.end(), std::back_inserter(nonzero),
               [](double value) { return value != 0; });
  if (nonzero.empty()) return 1;
  const std::vector<int> ranks = doubled_ranks(nonzero);
  double positive = 0;
  double squares = 0;
  double total = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const double rank = ranks[i] / 2.0;
    total += rank;
    squares += rank * rank;
    if (nonzero[i] > 0) positive += rank;
  }
  if (nonzero.size() <= most_exact) {
    return exact_upper_p(ranks, static_cast<int>(std::lround(2 * positive)));
  }
  // The sum of the squared ranks holds the correction for ties.
  return normal_upper_tail((positive - total / 2 - 0.5) / std::sqrt(squares / 4));
}

Interval signed_rank_interval(std::span<const double> values, double alpha) {
  const std::size_t critical = critical_sum(values.size(), alpha);
  std::vector<double> averages = walsh_averages(values);
  if (critical > averages.size()) return {-infinity, infinity};
  // A location is rejected from below when at least `critical` averages lie above it.
  const std::size_t outside = averages.size() - critical;
  const auto low = averages.begin() + static_cast<std::ptrdiff_t>(outside);
  std::nth_element(averages.begin(), low, averages.end());
  Interval interval;
  interval.low = *low;
  const auto high = averages.begin() + static_cast<std::ptrdiff_t>(averages.size() - 1 - outside);
  std::nth_element(averages.begin(), high, averages.end());
  interval.high = *high;
  return interval;
}

AlphaSpending::AlphaSpending(double alpha, double rho) : alpha_(alpha), rho_(rho) {}

// The probability that no bound was crossed so far and the score now ends above `bound`.
double AlphaSpending::crossing(double bound, double spread) const {
  if (at_.empty()) return normal_upper_tail(bound / spread);
  double sum = 0;
  for (std::size_t i = 0; i < at_.size(); ++i) {
    sum += mass_[i] * normal_upper_tail((bound - at_[i]) / spread);
  }
  return sum;
}

double AlphaSpending::next_level(double t) {
  constexpr int points = 201;
  constexpr double reach = 8;  // standard deviations
  const double spending = alpha_ * std::pow(std::min(t, 1.0), rho_) - spent_;
  const double spread = std::sqrt(t - seen_);
  double low = -reach * std::sqrt(t);
  double high = 2 * reach * std::sqrt(t);
  const double begin = low;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (crossing(middle, spread) > spending ? low : high) = middle;
  }
  const double bound = high;
  // Simpson's rule over what goes on.
  const double step = (bound - begin) / (points - 1);
  std::vector<double> at(points);
  std::vector<double> mass(points);
  for (int i = 0; i < points; ++i) {
    const auto index = static_cast<std::size_t>(i);
    at[index] = begin + step * i;
    double density = 0;
    if (at_.empty()) {
      density = normal_density(at[index] / spread) / spread;
    } else {
      for (std::size_t j = 0; j < at_.size(); ++j) {
        density += mass_[j] * normal_density((at[index] - at_[j]) / spread) / spread;
      }
    }
    const double weight = i == 0 || i == points - 1 ? 1 : i % 2 == 1 ? 4 : 2;
    mass[index] = density * weight * step / 3;
  }
  at_ = std::move(at);
  mass_ = std::move(mass);
  seen_ = t;
  spent_ += spending;
  return normal_upper_tail(bound / std::sqrt(t));
}

}  // namespace slipway::bench
