#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include <fmt/core.h>

namespace slipway {
namespace {

struct Unit {
  std::string_view suffix;
  double nanoseconds;
};

// "ms" before "s" and "m": the first suffix that fits is taken.
constexpr std::array units{Unit{"ns", 1},  Unit{"us", 1e3}, Unit{"ms", 1e6},
                           Unit{"s", 1e9}, Unit{"m", 60e9}, Unit{"h", 3600e9}};
constexpr double longest = 30 * 24 * 3600e9;

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  Error refused{ErrorKind::usage, fmt::format("'{}' is not a duration", text),
                "write a number and a unit, such as 500ms, 10s or 2m"};
  double number = 0;
  const auto [end, failed] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (failed != std::errc{} || !(number >= 0)) return refused;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (suffix != unit.suffix) continue;
    const double total = number * unit.nanoseconds;
    if (!(total <= longest)) return refused;
    return std::chrono::nanoseconds(std::llround(total));
  }
  return refused;
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const auto nanoseconds = duration.count();
  if (nanoseconds == 0) return "0s";
  if (nanoseconds % 3'600'000'000'000 == 0)
    return fmt::format("{}h", nanoseconds / 3'600'000'000'000);
  if (nanoseconds % 60'000'000'000 == 0) return fmt::format("{}m", nanoseconds / 60'000'000'000);
  const double value = static_cast<double>(nanoseconds);
  if (nanoseconds >= 1'000'000'000) return fmt::format("{:.9g}s", value / 1e9);
  if (nanoseconds >= 1'000'000) return fmt::format("{:.9g}ms", value / 1e6);
  return fmt::format("{:.9g}us", value / 1e3);
}

std::string format_utc(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto since_epoch = duration_cast<milliseconds>(time.time_since_epoch());
  const std::time_t seconds =
      static_cast<std::time_t>(floor<std::chrono::seconds>(since_epoch).count());
  const auto fraction = since_epoch.count() - static_cast<std::int64_t>(seconds) * 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, fraction);
}

std::optional<std::chrono::system_clock::time_point> parse_utc(std::string_view text) {
  std::tm utc{};
  const std::string whole(text);
  const char* rest = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (rest == nullptr) return std::nullopt;
  // What is finer than a microsecond is left out.
  std::int64_t fraction = 0;
  if (*rest == '.') {
    std::int64_t digit_is = 100'000;
    const char* const digits = ++rest;
    for (; *rest >= '0' && *rest <= '9'; ++rest, digit_is /= 10)
      fraction += (*rest - '0') * digit_is;
    if (rest == digits) return std::nullopt;
  }
  if (std::string_view(rest) != "Z") return std::nullopt;
  const auto seconds = std::chrono::system_clock::from_time_t(::timegm(&utc));
  return seconds + std::chrono::microseconds(fraction);
}

}  // namespace slipway
