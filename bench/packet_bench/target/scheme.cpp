#include "packet_bench/target/scheme.hpp"

#include "packet_bench/target/btp_channel.hpp"
#include "packet_bench/target/http_channel.hpp"

#include <algorithm>
#include <array>

namespace slipway::bench {

bool HttpRequest::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(), [name](std::string_view header) {
    const std::string_view given = header.substr(0, header.find(':'));
    return std::equal(given.begin(), given.end(), name.begin(), name.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
    });
  });
}

std::span<const Scheme* const> schemes() {
  static constexpr std::array all{&btp_scheme, &ilp_http_scheme, &http_scheme};
  return all;
}

}  // namespace slipway::bench
