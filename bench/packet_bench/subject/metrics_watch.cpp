#include "packet_bench/subject/metrics_watch.hpp"

#include <algorithm>

#include <fmt/core.h>

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
  const auto note = [&](std::string_view what) {
    result.notes.push_back(fmt::format("the metrics at {} {}", page_.text(), what));
  };
  const auto after = scrape(page_, tls_);
  if (!after) {
    result.notes.push_back(after.error().what +
                           ", after the load; so there is neither cost nor "
                           "count of the target's own");
    return;
  }
  if (!after->fulfilled && !after->cpu_seconds) {
    return note("have neither ilp_packets_total nor process_cpu_seconds_total");
  }
  const bool packets_fell = after->fulfilled.value_or(0) < before_.fulfilled.value_or(0) ||
                            after->rejected.value_or(0) < before_.rejected.value_or(0);
  if (packets_fell || after->cpu_seconds.value_or(0) < before_.cpu_seconds.value_or(0)) {
    return note("went back during the load: the target was started anew, and they count nothing");
  }
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
