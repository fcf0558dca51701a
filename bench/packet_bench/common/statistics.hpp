#pragma once

#include <cstdint>
#include <span>
#include <vector>

// What the gate computes with; values in, values out.
namespace slipway::bench {

double normal_upper_tail(double z);         // P(Z > z)
double normal_quantile(double p);           // 0 < p < 1
double median(std::vector<double> values);  // not empty

// Hodges and Lehmann (1963): the median of all (x_i + x_j) / 2 with i <= j. As good as the mean
// for normal values, and still good when up to 29 % of them are anything. Not empty.
double hodges_lehmann(std::span<const double> values);

// P(W+ >= observed) of Wilcoxon's signed-rank test that the values lie around zero: small when they
// lie above it. Zeros are left out, ties get the mean of their ranks; exact up to 30 values, then
// the normal approximation with corrections for ties and continuity. 1 without values.
double signed_rank_upper_p(std::span<const double> values);

struct Interval {
  double low = 0;
  double high = 0;
};
// The interval of locations that the signed-rank test does not reject at `alpha` on either side:
// bounded by Walsh averages. Infinite where so few values can not reject anything. Not empty.
Interval signed_rank_interval(std::span<const double> values, double alpha);

// Tests that look several times at growing data and may stop at each look, at a total error rate of
// `alpha` (one-sided): Lan and DeMets (1983), with the spending function alpha * t^rho of Kim and
// DeMets (1987). t, the information fraction, is how much of the data planned has been seen. The
// bounds come from the recursion of Armitage, McPherson and Rowe (1969).
class AlphaSpending {
 public:
  AlphaSpending(double alpha, double rho);

  // The level to test at, at the next look; `t` must grow, and be at most 1.
  double next_level(double t);

 private:
  double crossing(double bound, double spread) const;

  double alpha_;
  double rho_;
  double seen_ = 0;
  double spent_ = 0;
  // The density of the score at the last look, where no bound was crossed: points and weights.
  std::vector<double> at_;
  std::vector<double> mass_;
};

}  // namespace slipway::bench
