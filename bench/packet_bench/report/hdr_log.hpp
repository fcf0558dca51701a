#pragma once

#include "packet_bench/common/histogram.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace slipway::bench {

struct HdrInterval {
  std::string_view tag;  // empty: none
  const Histogram* histogram;
};

// A histogram log of HdrHistogram (format version 1.3) with one interval for each of `intervals`,
// all of the same `length`: values in nanoseconds, the maximum of a line in milliseconds, as
// HdrHistogram's own tools write and read them. Histogram's buckets are those of an HdrHistogram of
// three digits, so nothing is lost.
std::string hdr_log(std::chrono::system_clock::time_point begun_at, std::chrono::nanoseconds length,
                    std::span<const HdrInterval> intervals);

}  // namespace slipway::bench
