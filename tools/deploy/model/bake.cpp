#include "deploy/model/bake.hpp"

#include <charconv>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// The value of a sample line "name{labels} value [timestamp]"; 0 for what is not a number.
double value_of(std::string_view line) {
  const std::size_t labels_end = line.rfind('}');
  std::size_t begin = labels_end == std::string_view::npos ? line.find(' ') : labels_end + 1;
  if (begin == std::string_view::npos) return 0;
  while (begin < line.size() && line[begin] == ' ') ++begin;
  double value = 0;
  std::from_chars(line.data() + begin, line.data() + line.size(), value);
  return value;
}

bool names(std::string_view line, std::string_view metric) {
  return line.substr(0, metric.size()) == metric && line.size() > metric.size() &&
         (line[metric.size()] == '{' || line[metric.size()] == ' ');
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
  Totals totals;
  while (!metrics.empty()) {
    const std::size_t newline = metrics.find('\n');
    const std::string_view line = metrics.substr(0, newline);
    metrics.remove_prefix(newline == std::string_view::npos ? metrics.size() : newline + 1);
    // Each packet counts once, where it came in.
    if (names(line, "ilp_packets_total") &&
        line.find("direction=\"out\"") == std::string_view::npos) {
      const auto count = static_cast<std::uint64_t>(value_of(line));
      if (line.find("result=\"fulfill") != std::string_view::npos) totals.fulfilled += count;
      if (line.find("result=\"reject") != std::string_view::npos) totals.rejected += count;
    } else if (names(line, "ilp_packet_duration_seconds_sum")) {
      totals.latency_sum_s += value_of(line);
    } else if (names(line, "ilp_packet_duration_seconds_count")) {
      totals.latency_count += static_cast<std::uint64_t>(value_of(line));
    }
  }
  return totals;
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
