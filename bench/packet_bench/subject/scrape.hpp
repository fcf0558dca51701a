#pragma once

#include "base/error.hpp"
#include "net/tls.hpp"
#include "packet_bench/target/target.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace slipway::bench {

// What a target says of itself at its metrics page (Prometheus text format); nothing where it does
// not say it.
struct Scrape {
  std::optional<double> cpu_seconds;       // process_cpu_seconds_total
  std::optional<double> resident_bytes;    // process_resident_memory_bytes
  std::optional<std::uint64_t> fulfilled;  // ilp_packets_total, direction="in", all accounts
  std::optional<std::uint64_t> rejected;   // likewise, with any other result
};

Scrape parse_scrape(std::string_view text);

// Fetches and parses the page, with `tls` if it is an https one; gives up after about 2 s. Errors:
// unreachable, protocol (also when the page ended before its Content-Length).
Result<Scrape> scrape(const Target& page,
                      const std::shared_ptr<const net::TlsContext>& tls = nullptr);

}  // namespace slipway::bench
