#include "packet_bench/subject/metrics_watch.hpp"

#include <algorithm>

namespace slipway::bench {

Result<MetricsWatch> MetricsWatch::begin(const Target& page, const net::TlsOptions& tls) {
  std::shared_ptr<const net::TlsContext> context;
  if (page.tls) {
    auto made = net::TlsContext::make(tls);
    if (!made) return made.error();
    context = *made;
  }
  const auto before = scrape(page, context);
  if (!before) return before.error();
  return MetricsWatch(page, context, *before);
}

void MetricsWatch::finish(RunResult& result) const {
  const auto after = scrape(page_, tls_);
  if (!after) return;
  if (after->fulfilled) {
    result.counters =
        TargetCounters{.source = page_.text(),
                       .fulfilled = *after->fulfilled - before_.fulfilled.value_or(0),
                       .rejected = after->rejected.value_or(0) - before_.rejected.value_or(0)};
  }
  if (result.cost.source != "none" || !before_.cpu_seconds || !after->cpu_seconds) return;
  constexpr double megabyte = 1024.0 * 1024.0;
  const double cpu = *after->cpu_seconds - *before_.cpu_seconds;
  const double elapsed = std::chrono::duration<double>(Clock::now() - begun_).count();
  const std::uint64_t fulfilled = result.packets.fulfilled + result.warmup_packets.fulfilled;
  result.cost.source = page_.text();
  result.cost.cpu_percent = 100 * cpu / std::max(elapsed, 1e-9);
  if (fulfilled > 0) result.cost.cpu_us_per_packet = 1e6 * cpu / static_cast<double>(fulfilled);
  if (after->resident_bytes) {
    result.cost.memory_mb =
        std::max(*after->resident_bytes, before_.resident_bytes.value_or(0)) / megabyte;
  }
}

}  // namespace slipway::bench
