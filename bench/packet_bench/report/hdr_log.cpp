#include "packet_bench/report/hdr_log.hpp"

#include "base/base64.hpp"
#include "base/units.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using Bytes = std::vector<std::uint8_t>;

// The cookies of the encodings, version 2, with 64-bit values (AbstractHistogram.java).
constexpr std::uint32_t encoding_cookie = 0x1c849303 | 0x10;
constexpr std::uint32_t compressed_cookie = 0x1c849304 | 0x10;
constexpr std::uint32_t digits = 3;
constexpr std::uint64_t highest_value = (std::uint64_t{1} << 42) - 1;

template <typename Integer>
void put_big_endian(Integer value, Bytes& out) {
  for (unsigned shift = 8 * sizeof value; shift > 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
  }
}

// ZigZag, then seven bits to a byte, the low ones first; a ninth byte holds eight.
void put_zigzag(std::int64_t value, Bytes& out) {
  auto rest = static_cast<std::uint64_t>(value) << 1 ^ (value < 0 ? ~std::uint64_t{0} : 0);
  for (int i = 0; i < 8 && rest > 0x7f; ++i) {
    out.push_back(static_cast<std::uint8_t>(rest | 0x80));
    rest >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(rest));
}

// Counts up to the last that is not zero; a run of zeros is one negative number.
Bytes encoded_counts(const Histogram& histogram) {
  Bytes out;
  std::int64_t zeros = 0;
  for (std::size_t bucket = 0; bucket < Histogram::buckets(); ++bucket) {
    const std::uint64_t count = histogram.count_in(bucket);
    if (count == 0) {
      ++zeros;
      continue;
    }
    if (zeros > 0) put_zigzag(-zeros, out);
    zeros = 0;
    put_zigzag(static_cast<std::int64_t>(count), out);
  }
  return out;
}

Bytes encoded(const Histogram& histogram) {
  const Bytes counts = encoded_counts(histogram);
  Bytes out;
  put_big_endian(encoding_cookie, out);
  put_big_endian(static_cast<std::uint32_t>(counts.size()), out);
  put_big_endian(std::uint32_t{0}, out);  // normalizing index offset
  put_big_endian(digits, out);
  put_big_endian(std::uint64_t{1}, out);  // lowest discernible value
  put_big_endian(highest_value, out);
  put_big_endian(std::bit_cast<std::uint64_t>(1.0), out);  // conversion ratio
  out.insert(out.end(), counts.begin(), counts.end());
  return out;
}

std::uint32_t adler32(const Bytes& bytes) {
  std::uint32_t low = 1;
  std::uint32_t high = 0;
  for (const std::uint8_t byte : bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return high << 16 | low;
}

// A zlib stream (RFC 1950) of stored blocks (RFC 1951, 3.2.4): a few kilobytes need no compressor.
Bytes zlib_stored(const Bytes& bytes) {
  Bytes out{0x78, 0x01};
  std::size_t at = 0;
  do {
    const std::size_t size = std::min<std::size_t>(bytes.size() - at, 65535);
    out.push_back(at + size == bytes.size() ? 1 : 0);
    for (const std::size_t field : {size, ~size}) {
      out.push_back(static_cast<std::uint8_t>(field));
      out.push_back(static_cast<std::uint8_t>(field >> 8));
    }
    out.insert(out.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
               bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
  } while (at < bytes.size());
  put_big_endian(adler32(bytes), out);
  return out;
}

std::string payload_of(const Histogram& histogram) {
  const Bytes stream = zlib_stored(encoded(histogram));
  Bytes out;
  put_big_endian(compressed_cookie, out);
  put_big_endian(static_cast<std::uint32_t>(stream.size()), out);
  out.insert(out.end(), stream.begin(), stream.end());
  return base64(out);
}

}  // namespace

std::string hdr_log(std::chrono::system_clock::time_point begun_at, std::chrono::nanoseconds length,
                    std::span<const HdrInterval> intervals) {
  const double start = std::chrono::duration<double>(begun_at.time_since_epoch()).count();
  std::string text = fmt::format(
      "#[Logged by packet_bench; values in nanoseconds]\n"
      "#[Histogram log format version 1.3]\n"
      "#[StartTime: {:.3f} (seconds since epoch), {}]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      start, format_utc(begun_at));
  for (const HdrInterval& interval : intervals) {
    if (!interval.tag.empty()) text += fmt::format("Tag={},", interval.tag);
    text += fmt::format("0.000,{:.3f},{:.3f},{}\n", std::chrono::duration<double>(length).count(),
                        static_cast<double>(interval.histogram->max().count()) / 1e6,
                        payload_of(*interval.histogram));
  }
  return text;
}

}  // namespace slipway::bench
