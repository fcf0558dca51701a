#pragma once

#include <algorithm>
#include <chrono>

namespace slipway::bench {

// How long to wait before the next try to connect, after a try that waited for `last` was in vain:
// doubled, from 1 ms to 100 ms.
constexpr std::chrono::nanoseconds backoff_after(std::chrono::nanoseconds last) {
  using namespace std::chrono_literals;
  return std::clamp<std::chrono::nanoseconds>(2 * last, 1ms, 100ms);
}

}  // namespace slipway::bench
