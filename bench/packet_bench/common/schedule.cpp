#include "packet_bench/common/schedule.hpp"

#include <cmath>

namespace slipway::bench {
namespace {

std::chrono::nanoseconds as_nanoseconds(long double seconds) {
  return std::chrono::nanoseconds(std::llroundl(seconds * 1e9L));
}

}  // namespace

Schedule::Schedule(Arrivals arrivals, double rate, std::uint64_t seed)
    : arrivals_(arrivals), rate_(rate), seed_(seed) {}

long double Schedule::gap(std::uint64_t n) const {
  // 53 bits in (0, 1]: never log(0).
  const std::uint64_t bits = mixed(mixed(seed_) + n) >> 11;
  const double uniform = static_cast<double>(bits + 1) * 0x1p-53;
  return static_cast<long double>(-std::log(uniform)) / rate_;
}

std::chrono::nanoseconds Schedule::due(std::uint64_t n) const {
  if (arrivals_ == Arrivals::constant) return as_nanoseconds(static_cast<long double>(n) / rate_);
  long double elapsed = 0;
  for (std::uint64_t i = 0; i < n; ++i) elapsed += gap(i);
  return as_nanoseconds(elapsed);
}

ScheduleWalker::ScheduleWalker(const Schedule& schedule, std::uint64_t first, std::uint64_t step)
    : schedule_(schedule), number_(first), step_(step), due_(schedule.due(first)) {
  if (schedule_.arrivals_ == Arrivals::poisson) {
    for (std::uint64_t i = 0; i < first; ++i) elapsed_ += schedule_.gap(i);
  }
}

void ScheduleWalker::advance() {
  if (schedule_.arrivals_ == Arrivals::constant) {
    number_ += step_;
    due_ = schedule_.due(number_);
    return;
  }
  for (std::uint64_t i = 0; i < step_; ++i) elapsed_ += schedule_.gap(number_ + i);
  number_ += step_;
  due_ = as_nanoseconds(elapsed_);
}

}  // namespace slipway::bench
