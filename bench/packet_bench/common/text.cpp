#include "packet_bench/common/text.hpp"

#include <algorithm>

namespace slipway::bench {

std::string bound_percent(double share) {
  return std::isfinite(share) ? fmt::format("{:+.4g} %", 100 * share) : "unknown";
}

std::string worth_text(double estimate, double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high)) {
    return signed_percent(estimate, 1) + " (too few pairs)";
  }
  if (low == high) return signed_percent(estimate) + " in all pairs";
  const double half = std::max(100 * (high - low) / 2, 1e-3);
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(half))), 0, 2);
  return fmt::format("{} ({} to {})", signed_percent(estimate, decimals),
                     signed_percent(low, decimals), signed_percent(high, decimals));
}

std::string short_time(double ms) {
  if (std::isnan(ms)) return "unknown";
  if (ms >= 999.5) return fmt::format("{:.3g} s", ms / 1e3);
  return ms >= 0.9995 ? fmt::format("{:.3g} ms", ms) : fmt::format("{:.3g} µs", ms * 1e3);
}

}  // namespace slipway::bench
