#include "packet_bench/report/result_json.hpp"

#include "base/json.hpp"
#include "base/units.hpp"
#include "packet_bench/report/chart.hpp"

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using Json = nlohmann::ordered_json;

double as_ms(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

Json optional_number(const std::optional<double>& value) {
  return value ? Json(thousandths(*value)) : Json(nullptr);
}

Json packets_json(const PacketCounts& packets) {
  return {{"planned", packets.planned},
          {"sent", packets.sent},
          {"unsent", packets.unsent},
          {"fulfilled", packets.fulfilled},
          {"rejected", packets.rejected_total()},
          {"rejectedByCode", packets.rejected},
          {"unanswered", packets.unanswered},
          {"late", packets.late},
          {"wrongPreimage", packets.wrong},
          {"failed", packets.failed}};
}

Json latency_json(const LatencySummary& latency) {
  return {{"count", latency.count},
          {"meanMs", thousandths(latency.mean_ms)},
          {"p50Ms", thousandths(latency.p50_ms)},
          {"p90Ms", thousandths(latency.p90_ms)},
          {"p99Ms", thousandths(latency.p99_ms)},
          {"p999Ms", thousandths(latency.p999_ms)},
          {"maxMs", thousandths(latency.max_ms)}};
}

Json series_json(const std::vector<SeriesPoint>& series) {
  Json points = Json::array();
  for (const SeriesPoint& point : series) {
    Json cells = Json::object();
    for (const auto& [up_to, count] : point.latency_up_to_ms) {
      cells[fmt::format("{:g}", up_to)] = count;
    }
    points.push_back({{"beginS", point.begin_s},
                      {"seconds", point.seconds},
                      {"sent", point.sent},
                      {"fulfilled", point.fulfilled},
                      {"notFulfilled", point.not_fulfilled},
                      {"p50Ms", thousandths(point.p50_ms)},
                      {"p99Ms", thousandths(point.p99_ms)},
                      {"maxMs", thousandths(point.max_ms)},
                      {"latenessMaxMs", thousandths(point.lateness_max_ms)},
                      {"fulfilledUpToMs", cells},
                      {"notFulfilledBy", point.lost}});
  }
  return points;
}

std::string_view pace_name(Pace::Kind kind) {
  switch (kind) {
    case Pace::Kind::kept:
      return "kept";
    case Pace::Kind::kept_despite_disturbance:
      return "keptDespiteDisturbance";
    case Pace::Kind::fell_behind:
      return "fellBehind";
    case Pace::Kind::undetermined:
      return "undetermined";
  }
  return "unknown";
}

Json pace_json(const RunResult& result, const Pace& pace) {
  Json slices = Json::array();
  for (const PaceSlice& slice : result.slices) {
    slices.push_back(
        {{"leastLagMs",
          slice.least_lag ? Json(thousandths(as_ms(*slice.least_lag))) : Json(nullptr)},
         {"leastLatenessMs",
          slice.least_lateness ? Json(thousandths(as_ms(*slice.least_lateness))) : Json(nullptr)},
         {"generatorStallMs", thousandths(as_ms(slice.generator_stall))},
         {"stealMs", thousandths(as_ms(slice.steal))},
         {"targetWaitMs", thousandths(as_ms(slice.target_wait))}});
  }
  return {{"kind", pace_name(pace.kind)},
          {"lagGrowthMs", thousandths(as_ms(pace.growth))},
          {"lagCountedMs", thousandths(as_ms(pace.counted))},
          {"disturbedSlices", pace.disturbed},
          {"slices", slices}};
}

Json audit_json(const Audit& audit) {
  Json buckets = Json::array();
  for (const auto& [up_to_ms, count] : audit.lateness_buckets) {
    buckets.push_back({{"upToMs", up_to_ms}, {"packets", count}});
  }
  return {{"lateness", latency_json(audit.lateness)},
          {"latenessHistogram", buckets},
          {"lateShare", audit.late_share},
          {"longestStallMs", thousandths(audit.longest_stall_ms)},
          {"generatorCpuPercent", thousandths(audit.generator_cpu_percent)},
          {"generatorMemoryMb", thousandths(audit.generator_memory_mb)},
          {"stealPercent", thousandths(audit.steal_percent)},
          {"targetWaitPercent", thousandths(audit.target_wait_percent)},
          {"throttled", audit.throttled},
          {"clock", audit.clock},
          {"priority", audit.priority}};
}

Json context_json(const Context& context) {
  return {{"host", context.host},
          {"kernel", context.kernel},
          {"cpuModel", context.cpu_model},
          {"cpus", context.cpus},
          {"governor", context.governor},
          {"clockSource", context.clock_source},
          {"loadAverage", context.load_average},
          {"buildType", context.build_type},
          {"version", context.version},
          {"revision", context.revision}};
}

Json details_json(const RunResult& result, const Verdict& verdict, const GateLimits& limits) {
  Json details;
  details["outcome"] = to_string(verdict.outcome);
  details["reasons"] = verdict.reasons;
  details["warnings"] = verdict.warnings;
  details["latencyTrusted"] = verdict.latency_trusted;
  details["thresholds"] = {
      {"tps", limits.threshold_tps ? Json(*limits.threshold_tps) : Json()},
      {"p99Ms", limits.threshold_p99 ? Json(as_ms(*limits.threshold_p99)) : Json()}};
  details["target"] = result.target;
  details["rate"] = result.closed_loop ? Json("max") : Json(result.rate);
  details["arrivals"] = result.arrivals;
  details["seed"] = result.seed;
  details["plannedSeconds"] = result.planned_s;
  details["windowSeconds"] = thousandths(result.window_s);
  details["warmupSeconds"] = result.warmup_s;
  details["connections"] = result.connections;
  details["threads"] = result.threads;
  details["attempt"] = result.attempt;
  details["interrupted"] = result.interrupted;
  details["targetLost"] = result.target_lost.empty() ? Json() : Json(result.target_lost);
  details["packets"] = packets_json(result.packets);
  details["warmupPackets"] = packets_json(result.warmup_packets);
  details["duplicateAnswers"] = result.duplicates;
  details["unexpectedAnswers"] = result.unexpected;
  details["reconnects"] = result.reconnects;
  details["disconnects"] = result.disconnects;
  if (!result.first_refusal.empty()) details["firstRefusal"] = result.first_refusal;
  details["longestGapMs"] = thousandths(result.longest_gap_ms);
  details["receiverPrepares"] =
      result.receiver_prepares ? Json(*result.receiver_prepares) : Json(nullptr);
  details["latency"] = latency_json(result.latency);
  details["latencyFromSend"] = latency_json(result.latency_from_sent);
  if (result.first_byte.count > 0) details["firstByte"] = latency_json(result.first_byte);
  details["connect"] = latency_json(result.connect);
  if (result.handshake.count > 0) details["tlsHandshake"] = latency_json(result.handshake);
  Json curve = Json::array();
  for (const auto& [percent, ms] : result.percentile_curve) {
    curve.push_back({{"percent", percent}, {"ms", thousandths(ms)}});
  }
  details["percentiles"] = curve;
  details["series"] = series_json(result.series);
  details["pace"] = pace_json(result, verdict.pace);
  details["targetCost"] = {{"source", result.cost.source},
                           {"cpuPercent", optional_number(result.cost.cpu_percent)},
                           {"cpuUsPerPacket", optional_number(result.cost.cpu_us_per_packet)},
                           {"memoryMb", optional_number(result.cost.memory_mb)}};
  details["targetCounters"] = result.counters ? Json{{"source", result.counters->source},
                                                     {"fulfilled", result.counters->fulfilled},
                                                     {"rejected", result.counters->rejected}}
                                              : Json(nullptr);
  details["audit"] = audit_json(result.audit);
  details["context"] = context_json(result.context);
  return details;
}

}  // namespace

std::string to_json(const RunResult& result, const Verdict& verdict, const GateLimits& limits) {
  Json json;
  json["timestamp"] = format_utc(result.begun_at);
  json["commitSha"] = result.commit_sha;
  json["branch"] = result.branch;
  json["tps"] = thousandths(verdict.tps);
  json["p99LatencyMs"] = thousandths(result.latency.p99_ms);
  json["p50LatencyMs"] = thousandths(result.latency.p50_ms);
  json["memoryUsageMb"] = optional_number(result.cost.memory_mb);
  json["cpuUsagePercent"] = optional_number(result.cost.cpu_percent);
  json["passed"] = verdict.outcome == Outcome::passed;
  json["schemaVersion"] = schema_version;
  json["details"] = details_json(result, verdict, limits);
  return to_text(json, 2) + "\n";
}

}  // namespace slipway::bench
