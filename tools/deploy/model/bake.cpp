#include "deploy/model/bake.hpp"

#include "net/prometheus_text.hpp"

#include <map>
#include <vector>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// A counter's sum; 0 where the page has none, or one that is no count.
std::uint64_t count_of(const std::vector<net::MetricSample>& samples, std::string_view name,
                       const std::map<std::string, std::string>& labels = {}) {
  const double sum = net::sum_of(samples, name, labels).value_or(0);
  return sum > 0 && sum < 1e19 ? static_cast<std::uint64_t>(sum) : 0;
}

std::uint64_t difference(std::uint64_t later, std::uint64_t earlier) {
  // A counter that went down was restarted from zero.
  return later >= earlier ? later - earlier : later;
}

}  // namespace

Totals Totals::since(const Totals& earlier) const {
  Totals window;
  window.fulfilled = difference(fulfilled, earlier.fulfilled);
  window.rejected = difference(rejected, earlier.rejected);
  window.latency_count = difference(latency_count, earlier.latency_count);
  window.latency_sum_s = latency_sum_s >= earlier.latency_sum_s
                             ? latency_sum_s - earlier.latency_sum_s
                             : latency_sum_s;
  return window;
}

double Totals::reject_share() const {
  return packets() == 0 ? 0 : static_cast<double>(rejected) / static_cast<double>(packets());
}

double Totals::mean_latency_s() const {
  return latency_count == 0 ? 0 : latency_sum_s / static_cast<double>(latency_count);
}

Totals parse_totals(std::string_view metrics) {
  const auto samples = net::parse_metrics(metrics);
  // Each packet counts once, where it came in; a service need not say which way it went.
  const auto packets = [&](const std::string& result) {
    constexpr std::string_view name = "ilp_packets_total";
    return count_of(samples, name, {{"result", result}}) -
           count_of(samples, name, {{"direction", "out"}, {"result", result}});
  };
  return {.fulfilled = packets("fulfilled"),
          .rejected = packets("rejected"),
          .latency_sum_s = net::sum_of(samples, "ilp_packet_duration_seconds_sum").value_or(0),
          .latency_count = count_of(samples, "ilp_packet_duration_seconds_count")};
}

BakeJudgement judge_bake(const BakeRules& rules, const Totals& baseline, const Totals& candidate) {
  if (candidate.packets() < rules.minimum_packets || baseline.packets() < rules.minimum_packets) {
    return {BakeVerdict::inconclusive,
            fmt::format("{} packets on the new colour and {} on the old are fewer than the {} that "
                        "a judgement needs",
                        candidate.packets(), baseline.packets(), rules.minimum_packets)};
  }
  if (candidate.reject_share() > baseline.reject_share() + rules.worse_rejects) {
    return {BakeVerdict::worse,
            fmt::format("{:.2f} % of packets rejected, {:.2f} % before",
                        candidate.reject_share() * 100, baseline.reject_share() * 100)};
  }
  const double allowance_s = std::chrono::duration<double>(rules.latency_allowance).count();
  if (baseline.mean_latency_s() > 0 &&
      candidate.mean_latency_s() > baseline.mean_latency_s() * rules.worse_latency &&
      candidate.mean_latency_s() > baseline.mean_latency_s() + allowance_s) {
    return {BakeVerdict::worse,
            fmt::format("mean latency {:.3f} ms, {:.3f} ms before",
                        candidate.mean_latency_s() * 1e3, baseline.mean_latency_s() * 1e3)};
  }
  return {BakeVerdict::good, fmt::format("{} packets, {:.2f} % rejected", candidate.packets(),
                                         candidate.reject_share() * 100)};
}

}  // namespace slipway::deploy
