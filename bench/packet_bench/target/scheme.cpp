#include "packet_bench/target/scheme.hpp"

#include "packet_bench/target/btp_channel.hpp"
#include "packet_bench/target/http_channel.hpp"

#include <array>

namespace slipway::bench {

std::span<const Scheme* const> schemes() {
  static constexpr std::array all{&btp_scheme, &ilp_http_scheme, &http_scheme};
  return all;
}

}  // namespace slipway::bench
