#include "packet_bench/search/rate_search.hpp"

#include <algorithm>

namespace slipway::bench {

std::string_view to_string(Bound bound) {
  switch (bound) {
    case Bound::none:
      return "nothing";
    case Bound::target:
      return "target";
    case Bound::generator:
      return "generator";
    case Bound::machine:
      return "machine";
  }
  return "unknown";
}

RateSearch::RateSearch(const SearchLimits& limits)
    : limits_(limits), rate_(std::clamp(limits.first, limits.least, limits.most)) {}

std::optional<double> RateSearch::next() const {
  if (phase_ == Phase::done) return std::nullopt;
  return rate_;
}

std::optional<double> RateSearch::found() const {
  return phase_ == Phase::done ? held_ : std::nullopt;
}

void RateSearch::try_rate(double rate) {
  rate_ = rate;
  target_failures_ = other_failures_ = 0;
}

void RateSearch::record(const ProbeOutcome& outcome) {
  if (outcome.sustained) return sustained();
  last_failure_ = outcome;
  ++(outcome.bound == Bound::target ? target_failures_ : other_failures_);
  if (target_failures_ >= 2 || target_failures_ + other_failures_ >= 3) exceeded();
}

void RateSearch::sustained() {
  if (phase_ == Phase::confirming) {
    if (++confirmed_ >= confirmations) phase_ = Phase::done;
    return;
  }
  held_ = rate_;
  if (phase_ == Phase::growing && rate_ < limits_.most) {
    return try_rate(std::min(2 * rate_, limits_.most));
  }
  bisect_or_confirm();
}

void RateSearch::exceeded() {
  too_high_ = rate_;
  bound_ = last_failure_.bound;
  why_ = last_failure_.why;
  if (phase_ == Phase::confirming) {
    held_.reset();
    const double lower = rate_ * (1 - limits_.resolution);
    if (lower < limits_.least) {
      phase_ = Phase::done;
      return;
    }
    held_ = lower;
    confirmed_ = 0;
    return try_rate(lower);
  }
  if (held_) return bisect_or_confirm();
  phase_ = Phase::shrinking;
  if (rate_ <= limits_.least) {
    phase_ = Phase::done;
    return;
  }
  try_rate(std::max(rate_ / 2, limits_.least));
}

void RateSearch::bisect_or_confirm() {
  if (too_high_ && *too_high_ > *held_ * (1 + limits_.resolution)) {
    phase_ = Phase::bisecting;
    return try_rate((*held_ + *too_high_) / 2);
  }
  phase_ = Phase::confirming;
  confirmed_ = 0;
  if (!too_high_) {
    bound_ = Bound::none;
    why_.clear();
  }
  try_rate(*held_);
}

}  // namespace slipway::bench
