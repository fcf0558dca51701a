#pragma once

#include <cstdint>
#include <random>

namespace slipway {

// 64 bits from the operating system; never 0, which stands for "none was given".
inline std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device() | 1;
}

}  // namespace slipway
