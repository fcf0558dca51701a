#include "connector/exchange.hpp"

#include <algorithm>

namespace slipway::connector {
namespace {

__extension__ using Wide = unsigned __int128;
constexpr Wide max_amount = std::numeric_limits<std::uint64_t>::max();

Wide greatest_common_divisor(Wide a, Wide b) {
  while (b != 0) a = std::exchange(b, a % b);
  return a;
}

std::optional<Wide> multiply(Wide a, Wide b) {
  Wide product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

}  // namespace

std::optional<Ratio> exchange_ratio(const AccountConfig& from, const AccountConfig& to) {
  Ratio price_from;
  Ratio price_to;
  if (from.asset_code != to.asset_code) {
    if (!from.price || !to.price) return std::nullopt;
    price_from = *from.price;
    price_to = *to.price;
  }
  auto numerator = multiply(price_from.numerator, price_to.denominator);
  auto denominator = multiply(price_from.denominator, price_to.numerator);
  for (int scale = from.asset_scale; scale < to.asset_scale && numerator; ++scale) {
    numerator = multiply(*numerator, 10);
  }
  for (int scale = to.asset_scale; scale < from.asset_scale && denominator; ++scale) {
    denominator = multiply(*denominator, 10);
  }
  if (!numerator || !denominator) return std::nullopt;
  const Wide divisor = greatest_common_divisor(*numerator, *denominator);
  const Wide reduced_numerator = *numerator / divisor;
  const Wide reduced_denominator = *denominator / divisor;
  if (reduced_numerator > max_amount || reduced_denominator > max_amount) return std::nullopt;
  return Ratio{static_cast<std::uint64_t>(reduced_numerator),
               static_cast<std::uint64_t>(reduced_denominator)};
}

std::optional<std::uint64_t> convert(std::uint64_t amount, const Ratio& ratio) {
  const Wide converted = Wide{amount} * ratio.numerator / ratio.denominator;
  if (converted > max_amount) return std::nullopt;
  return static_cast<std::uint64_t>(converted);
}

std::uint64_t largest_convertible(const Ratio& ratio) {
  // The largest a with a * numerator < 2^64 * denominator.
  const Wide bound = ((max_amount + 1) * ratio.denominator - 1) / ratio.numerator;
  return static_cast<std::uint64_t>(std::min(bound, max_amount));
}

}  // namespace slipway::connector
