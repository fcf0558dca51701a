// Writes reports and results of made-up runs and duets into a folder: NAME.html and NAME.json of
// each. They are what a page must bear: long names, gaps, peaks, hours, next to nothing, worse and
// better.

#include "base/durable_file.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/duet/duet_report.hpp"
#include "packet_bench/report/report.hpp"
#include "packet_bench/report/result_json.hpp"

#include <cmath>
#include <cstdio>
#include <limits>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::bench;
using namespace std::chrono_literals;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// The same numbers from 0 to 1 every time.
double noise(std::uint64_t n) {
  return static_cast<double>(mixed(n) >> 11) * 0x1p-53;
}

SeriesPoint second_of(std::uint64_t n, double seconds) {
  const double p50 = 0.18 + 0.05 * noise(n);
  SeriesPoint point{.begin_s = static_cast<double>(n) * seconds,
                    .seconds = seconds,
                    .sent = 10'000,
                    .fulfilled = 10'000,
                    .p50_ms = p50,
                    .p99_ms = p50 * (3 + 4 * noise(n + 1000)),
                    .max_ms = p50 * (10 + 60 * noise(n + 2000)),
                    .lateness_max_ms = 0.05 + noise(n + 3000)};
  point.latency_up_to_ms = {{0.16, 900}, {0.2, 6000}, {0.25, 2500},
                            {0.5, 480},  {1.0, 100},  {8.0, 20}};
  return point;
}

RunResult run_of(std::uint64_t seconds, double seconds_each = 1) {
  RunResult result;
  result.begun_at = std::chrono::system_clock::time_point(1'790'000'000s);
  result.commit_sha = "0123456789abcdef0123456789abcdef01234567";
  result.branch = "main";
  result.target = "btp+ws://:***@127.0.0.1:4000/";
  result.arrivals = "constant";
  result.rate = 10'000;
  result.window_s = result.planned_s = static_cast<double>(seconds) * seconds_each;
  result.connections = 1;
  result.threads = 1;
  result.packets.planned = result.packets.sent = result.packets.fulfilled =
      static_cast<std::uint64_t>(result.rate * result.window_s);
  result.latency = {.count = result.packets.fulfilled,
                    .mean_ms = 0.21,
                    .p50_ms = 0.2,
                    .p90_ms = 0.31,
                    .p99_ms = 0.9,
                    .p999_ms = 4,
                    .max_ms = 12};
  result.percentile_curve = {{0, 0.09},    {10, 0.15},   {25, 0.17}, {50, 0.2},
                             {75, 0.25},   {90, 0.31},   {99, 0.9},  {99.9, 4},
                             {99.99, 8.5}, {99.999, 11}, {100, 12}};
  result.audit.lateness = {.count = 1000,
                           .mean_ms = 0.02,
                           .p50_ms = 0.02,
                           .p90_ms = 0.03,
                           .p99_ms = 0.1,
                           .p999_ms = 0.4,
                           .max_ms = 1};
  result.audit.priority = "real-time";
  result.cost = {
      .cpu_percent = 12, .cpu_us_per_packet = 11.7, .memory_mb = 14.2, .source = "/proc/1234"};
  result.context = {.host = "host",
                    .kernel = "Linux 6.1.0",
                    .cpu_model = "AMD EPYC 9R14 96-Core Processor",
                    .cpus = 2};
  for (std::uint64_t n = 0; n < seconds; ++n) result.series.push_back(second_of(n, seconds_each));
  return result;
}

SeriesPoint nothing_fulfilled(double begin_s) {
  return {.begin_s = begin_s,
          .sent = 10'000,
          .not_fulfilled = 10'000,
          .p50_ms = none,
          .p99_ms = none,
          .max_ms = none};
}

// A bad one: silence, a peak, refusals of many kinds, and a target whose name is an attack.
RunResult bad_run() {
  RunResult result = run_of(40);
  result.target = "http://" + std::string(120, 'a') + ".example/<script>alert(1)</script>?" +
                  std::string(200, 'q');
  result.first_refusal = "HTTP/1.1 503 Service Unavailable; </script><script>alert(2)</script>";
  const std::string code = "rejected with " + std::string(40, 'X');
  for (std::size_t n = 12; n < 16; ++n) {
    SeriesPoint& point = result.series[n];
    point = nothing_fulfilled(point.begin_s);
    point.lost = {{"unanswered", 10'000}};
  }
  result.series[17] = nothing_fulfilled(17);
  result.series[17].lost = {{"unanswered", 4'000}, {"rejected with 503", 6'000}};
  for (std::size_t n = 20; n < 40; ++n) {
    SeriesPoint& point = result.series[n];
    point.fulfilled = 9'000;
    point.not_fulfilled = 1'000;
    point.p99_ms = n == 25 ? 912.345 : point.p99_ms;
    point.max_ms = n == 25 ? 4'321.5 : point.max_ms;
    if (n == 25) point.latency_up_to_ms[1000] = 300;
    point.lost = {{"late", 100 + n}, {"rejected with 503", 500}, {code, 300}, {"failed", 100 - n}};
  }
  result.packets.rejected = {{"503", 16'000}, {std::string(40, 'X'), 6'000}};
  result.packets.unanswered = 44'000;
  result.packets.fulfilled -= 70'000;
  result.packets.late = 4'000;
  result.latency.p99_ms = 912.3;
  result.latency.max_ms = 4'321.5;
  return result;
}

RunResult silent_run() {
  RunResult result = run_of(3);
  for (SeriesPoint& point : result.series) {
    point = nothing_fulfilled(point.begin_s);
    point.lost = {{"unanswered", 10'000}};
  }
  result.packets.fulfilled = 0;
  result.packets.unanswered = 30'000;
  result.latency = {};
  result.percentile_curve.clear();
  return result;
}

// Pairs in which the candidate costs `ratio` times what the base does.
DuetResult duet_of(std::size_t pairs, double ratio, double spread) {
  DuetResult result;
  result.begun_at = std::chrono::system_clock::time_point(1'790'000'000s);
  result.targets = {"/opt/base/connector", "/opt/" + std::string(90, 'c') + "/connector"};
  result.notes = {"of 200000 to the candidate: 12 unanswered"};
  result.rate = 10'000;
  result.slice_s = 0.5;
  result.round_s = 5;
  result.max_duration_s = 90;
  result.elapsed_s = 0.62 * static_cast<double>(pairs);
  result.limits.planned_pairs = pairs;
  for (std::size_t n = 0; n < pairs; ++n) {
    Pair pair{.round = static_cast<unsigned>(n / 10),
              .seconds = 0.5,
              .elapsed_s = 0.5 * static_cast<double>(n % 10)};
    const double base_cost = 11 + noise(n);
    pair.sides[base] = {base_cost, 0.2 + 0.02 * noise(n + 500), 1 + noise(n + 600), 1, 14, 1};
    const double candidate_cost = base_cost * ratio * (1 + spread * (noise(n + 700) - 0.5));
    pair.sides[candidate] = {
        candidate_cost, 0.21 + 0.02 * noise(n + 800), 1 + noise(n + 900), 1, 14.5, 1};
    if (n % 13 == 7) pair.steal_share = 0.2;
    result.pairs.push_back(pair);
  }
  result.verdict = judge_pairs(result.pairs, result.limits);
  result.context = run_of(1).context;
  return result;
}

bool write(const std::string& folder, const std::string& name, const std::string& page,
           const std::string& json) {
  return write_durably(folder + "/" + name + ".html", page).has_value() &&
         write_durably(folder + "/" + name + ".json", json).has_value();
}

bool write_run(const std::string& folder, const std::string& name, const RunResult& result) {
  const GateLimits limits{.threshold_tps = 10'000, .threshold_p99 = 5ms};
  const Verdict verdict = judge(result, limits);
  return write(folder, name, html_report(result, verdict, limits),
               to_json(result, verdict, limits));
}

bool write_duet(const std::string& folder, const std::string& name, const DuetResult& result) {
  return write(folder, name, duet_html(result), duet_json(result));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: report_samples FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = arguments[1];
  const bool written =
      write_run(folder, "run", run_of(10)) && write_run(folder, "run-bad", bad_run()) &&
      write_run(folder, "run-hours", run_of(1024, 16)) &&
      write_run(folder, "run-second", run_of(1)) && write_run(folder, "run-silent", silent_run()) &&
      write_duet(folder, "duet-worse", duet_of(30, 1.817323, 0.1)) &&
      write_duet(folder, "duet-better", duet_of(60, 0.6, 0.03)) &&
      write_duet(folder, "duet-same", duet_of(160, 1.001, 0.02)) &&
      write_duet(folder, "duet-few", duet_of(3, 1.1, 0.02));
  return written ? 0 : 1;
}
