#include "packet_bench/subject/scrape.hpp"

#include "net/http_client.hpp"
#include "net/prometheus_text.hpp"

#include <chrono>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr std::size_t largest_page = std::size_t{16} << 20;
constexpr std::chrono::seconds patience{2};

Error no_metrics(const Target& page, std::string_view why, ErrorKind kind) {
  return {kind, fmt::format("cannot read the metrics at {}: {}", page.text(), why),
          "correct --metrics, or leave it out"};
}

std::optional<std::uint64_t> as_count(double sum) {
  return sum >= 0 && sum < 1e19 ? std::optional(static_cast<std::uint64_t>(sum)) : std::nullopt;
}

}  // namespace

Scrape parse_scrape(std::string_view text) {
  const auto samples = net::parse_metrics(text);
  Scrape scrape{.cpu_seconds = net::sum_of(samples, "process_cpu_seconds_total"),
                .resident_bytes = net::sum_of(samples, "process_resident_memory_bytes")};
  constexpr std::string_view packets = "ilp_packets_total";
  const auto all = net::sum_of(samples, packets, {{"direction", "in"}});
  if (!all) return scrape;
  // A page that counts packets, and none of a kind, has seen none of it.
  const double fulfilled =
      net::sum_of(samples, packets, {{"direction", "in"}, {"result", "fulfilled"}}).value_or(0);
  scrape.fulfilled = as_count(fulfilled);
  scrape.rejected = as_count(*all - fulfilled);
  return scrape;
}

Result<Scrape> scrape(const Target& page, const std::shared_ptr<const net::TlsContext>& tls) {
  const auto answer = net::http_request({.host = page.host,
                                         .port = page.port,
                                         .tls = page.tls ? tls : nullptr,
                                         .target = page.path,
                                         .deadline = patience,
                                         .body_limit = largest_page});
  if (!answer) return no_metrics(page, answer.error().what, answer.error().kind);
  if (answer->status == 200) return parse_scrape(answer->body);
  return no_metrics(page, fmt::format("it answered {}", answer->status), ErrorKind::protocol);
}

}  // namespace slipway::bench
