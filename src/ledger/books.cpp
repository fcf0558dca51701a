#include "ledger/books.hpp"

#include <algorithm>

namespace slipway::ledger {

std::string to_string(const Asset& asset) {
  return asset.code + "/" + std::to_string(asset.scale);
}

std::string to_decimal(Wide number) {
  if (number == 0) return "0";
  std::string digits;
  // Digit by digit, because the smallest number has no positive counterpart.
  for (Wide rest = number; rest != 0; rest /= 10) {
    const int digit = static_cast<int>(rest % 10);
    digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  if (number < 0) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

bool parse_decimal(const std::string& text, Wide& number) {
  const bool negative = text.starts_with('-');
  number = 0;
  for (std::size_t i = negative ? 1 : 0; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    const int digit = text[i] - '0';
    if (__builtin_mul_overflow(number, 10, &number) ||
        __builtin_add_overflow(number, negative ? -digit : digit, &number)) {
      return false;
    }
  }
  return text.size() > (negative ? 1U : 0U);
}

}  // namespace slipway::ledger
