#include "wire/timestamp.hpp"

#include <algorithm>
#include <cstring>

namespace slipway::wire {
namespace {

using namespace std::chrono;

constexpr Timestamp earliest = sys_days{year{0} / 1 / 1};
constexpr Timestamp latest = sys_days{year{10000} / 1 / 1} - milliseconds{1};

int number(const std::uint8_t* digits, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) value = value * 10 + (digits[i] - '0');
  return value;
}

void put_number(std::uint8_t* out, unsigned value, int count) {
  for (int i = count - 1; i >= 0; --i) {
    out[i] = static_cast<std::uint8_t>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

std::optional<Timestamp> parse_timestamp(Bytes digits) {
  if (digits.size() != timestamp_size) return std::nullopt;
  const bool all_digits = std::all_of(digits.begin(), digits.end(),
                                      [](std::uint8_t c) { return c >= '0' && c <= '9'; });
  if (!all_digits) return std::nullopt;
  const std::uint8_t* at = digits.data();
  const year_month_day date{year{number(at, 4)}, month{static_cast<unsigned>(number(at + 4, 2))},
                            day{static_cast<unsigned>(number(at + 6, 2))}};
  const int hour = number(at + 8, 2);
  const int minute = number(at + 10, 2);
  const int second = number(at + 12, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return Timestamp{sys_days{date}} + hours{hour} + minutes{minute} + seconds{second} +
         milliseconds{number(at + 14, 3)};
}

void format_timestamp(Timestamp time, std::uint8_t* out) {
  time = std::clamp(time, earliest, latest);
  const sys_days date = floor<days>(time);
  const year_month_day ymd{date};
  const auto of_day = static_cast<unsigned>((time - date).count());
  put_number(out, static_cast<unsigned>(static_cast<int>(ymd.year())), 4);
  put_number(out + 4, static_cast<unsigned>(ymd.month()), 2);
  put_number(out + 6, static_cast<unsigned>(ymd.day()), 2);
  put_number(out + 8, of_day / 3'600'000, 2);
  put_number(out + 10, of_day / 60'000 % 60, 2);
  put_number(out + 12, of_day / 1000 % 60, 2);
  put_number(out + 14, of_day % 1000, 3);
}

void format_generalized_time(Timestamp time, std::uint8_t* out) {
  std::uint8_t digits[timestamp_size];
  format_timestamp(time, digits);
  std::memcpy(out, digits, 14);
  out[14] = '.';
  std::memcpy(out + 15, digits + 14, 3);
  out[18] = 'Z';
}

}  // namespace slipway::wire
