#include "packet_bench/run/run.hpp"

#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "base/output_file.hpp"
#include "base/process.hpp"
#include "packet_bench/report/hdr_log.hpp"
#include "packet_bench/report/live_line.hpp"
#include "packet_bench/report/report.hpp"
#include "packet_bench/report/result_files.hpp"
#include "packet_bench/report/result_json.hpp"
#include "packet_bench/report/summary.hpp"
#include "packet_bench/subject/embedded.hpp"
#include "packet_bench/subject/machine.hpp"
#include "packet_bench/subject/metrics_watch.hpp"
#include "packet_bench/subject/sampler.hpp"
#include "packet_bench/target/http_channel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

double as_ms(std::chrono::nanoseconds duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

double as_seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

LatencySummary summary_of(const Histogram& histogram) {
  return {.count = histogram.count(),
          .mean_ms = histogram.count() > 0 ? histogram.mean_ns() / 1e6 : no_value,
          .p50_ms = histogram.percentile_ms(50),
          .p90_ms = histogram.percentile_ms(90),
          .p99_ms = histogram.percentile_ms(99),
          .p999_ms = histogram.percentile_ms(99.9),
          .max_ms = histogram.count() > 0 ? as_ms(histogram.max()) : no_value};
}

std::vector<std::pair<double, double>> curve_of(const Histogram& histogram) {
  constexpr std::array percents{0.0,  10.0, 25.0, 50.0,  75.0,  90.0,   95.0, 97.5,
                                99.0, 99.5, 99.9, 99.95, 99.99, 99.999, 100.0};
  std::vector<std::pair<double, double>> curve;
  for (const double percent : percents) {
    const double ms = percent < 100 ? histogram.percentile_ms(percent) : as_ms(histogram.max());
    if (histogram.count() > 0 && !std::isnan(ms)) curve.emplace_back(percent, ms);
  }
  return curve;
}

std::vector<std::pair<double, std::uint64_t>> lateness_buckets(const Histogram& lateness) {
  constexpr std::array bounds{0.005, 0.01, 0.02, 0.05, 0.1,  0.2,   0.5,    1.0,
                              2.0,   5.0,  10.0, 20.0, 50.0, 100.0, 1000.0, 1e9};
  const std::vector<std::uint64_t> counts = lateness.counts_up_to(bounds);
  std::vector<std::pair<double, std::uint64_t>> buckets;
  for (std::size_t i = 0; i < bounds.size(); ++i) buckets.emplace_back(bounds[i], counts[i]);
  return buckets;
}

std::string branch_of(const RunOptions& options) {
  if (!options.branch.empty()) return options.branch;
  for (const char* variable : {"GITHUB_HEAD_REF", "GITHUB_REF_NAME"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') return value;
  }
  const auto asked =
      run_command({.argv = {"git", "rev-parse", "--abbrev-ref", "HEAD"}, .deadline = 5s});
  if (!asked || asked->exit_status != 0) return "unknown";
  return asked->out.substr(0, asked->out.find('\n'));
}

void enter_plan(const RunOptions& options, const LoadPlan& plan, RunResult& result) {
  result.begun_at = std::chrono::system_clock::now();
  result.commit_sha = options.commit.empty() ? std::string(build_info().revision) : options.commit;
  result.branch = branch_of(options);
  result.target = options.target.text();
  result.arrivals = plan.arrivals == Arrivals::poisson ? "poisson" : "constant";
  result.seed = plan.seed;
  result.closed_loop = plan.closed_loop();
  result.rate = plan.closed_loop() ? 0 : plan.rate;
  result.planned_s = as_seconds(plan.duration);
  result.warmup_s = as_seconds(plan.warmup);
  result.connections = static_cast<unsigned>(plan.targets.size());
  result.threads = plan.threads;
  result.cost.source = "none";
  result.context = machine_context();
}

void enter_outcome(const LoadOutcome& outcome, RunResult& result) {
  result.window_s = as_seconds(outcome.window);
  result.interrupted = outcome.interrupted;
  result.packets = outcome.packets;
  result.warmup_packets = outcome.warmup_packets;
  result.duplicates = outcome.duplicates;
  result.unexpected = outcome.unexpected;
  result.reconnects = outcome.reconnects;
  result.disconnects = outcome.disconnects;
  result.first_refusal = outcome.first_refusal;
  result.longest_gap_ms = as_ms(outcome.longest_gap);
  result.receiver_prepares = outcome.receiver_prepares;
  result.latency = summary_of(outcome.latency);
  result.latency_from_sent = summary_of(outcome.latency_from_sent);
  result.first_byte = summary_of(outcome.first_byte);
  result.connect = summary_of(outcome.connect);
  result.handshake = summary_of(outcome.handshake);
  result.percentile_curve = curve_of(outcome.latency);
  const std::array intervals{HdrInterval{"", &outcome.latency},
                             HdrInterval{"from-send", &outcome.latency_from_sent},
                             HdrInterval{"lateness", &outcome.lateness}};
  result.hdr_log = hdr_log(result.begun_at, outcome.window, intervals);
  result.series = outcome.series;
  result.slices = outcome.slices;
  result.audit.lateness = summary_of(outcome.lateness);
  result.audit.lateness_buckets = lateness_buckets(outcome.lateness);
  result.audit.late_share = outcome.lateness.share_above(1ms);
  result.audit.longest_stall_ms = as_ms(outcome.longest_stall);
  result.audit.clock = "CLOCK_MONOTONIC";
  result.audit.priority = outcome.priority;
  if (outcome.target_gone) {
    result.target_lost =
        outcome.disconnects.empty() ? "the connection was lost" : outcome.disconnects.back();
  }
}

Target metrics_page(std::uint16_t port) {
  return {.scheme = &http_scheme, .host = "127.0.0.1", .port = port, .path = "/metrics"};
}

// A sending loop that never sleeps and the connector must not share a processor: the scheduler
// tends to leave them together.
void keep_apart(RunOptions& options) {
  const std::vector<int> processors = allowed_processors();
  LoadPlan& plan = options.plan;
  const bool chosen = !plan.cpu_affinity.empty() || !options.connector_affinity.empty();
  if (!plan.never_sleeps() || chosen || processors.size() <= plan.threads) return;
  for (std::size_t i = 0; i < processors.size(); ++i) {
    auto& side = i < plan.threads ? plan.cpu_affinity : options.connector_affinity;
    side.push_back(processors[i]);
  }
}

// For connectors where an account has one connection.
void number_tokens(std::vector<Target>& targets) {
  unsigned number = 0;
  for (Target& target : targets) target.token += std::to_string(++number);
}

std::string report_of(const RunOptions& options, const JudgedRun& run) {
  if (options.report.extension() == ".html") {
    return html_report(run.result, run.verdict, options.limits);
  }
  return markdown_report(run.result, run.verdict, options.limits);
}

}  // namespace

Result<RunResult> measure(const RunOptions& asked, const std::stop_token& stop) {
  RunOptions options = asked;
  if (options.target.is_embedded()) keep_apart(options);
  LoadPlan plan = options.plan;
  std::optional<EmbeddedConnector> embedded;
  Watched watched{.pid = options.target_pid};
  std::optional<Target> metrics = options.metrics;
  if (!options.container.empty()) {
    const auto container = find_container(options.container);
    if (!container) return container.error();
    watched = {.pid = container->pid, .group = container->group, .name = options.container};
  }
  if (options.target.is_embedded()) {
    auto started = EmbeddedConnector::start({.executable = options.connector,
                                             .senders = options.connections,
                                             .cpu_affinity = options.connector_affinity},
                                            stop);
    if (!started) return started.error();
    embedded.emplace(std::move(*started));
    plan.targets = embedded->senders();
    plan.receiver = embedded->receiver();
    plan.destination = embedded->destination();
    watched = {.pid = embedded->pid()};
    metrics = metrics_page(embedded->http_port());
  } else {
    plan.targets.assign(options.connections, options.target);
    if (options.numbered_tokens) number_tokens(plan.targets);
    plan.receiver = options.receiver;
  }
  RunResult result;
  enter_plan(options, plan, result);
  std::optional<Sampler> sampler;
  const auto on_start = [&](TimePoint window_begin) {
    sampler.emplace(watched, window_begin, plan.duration, LoadPlan::pace_slices);
  };
  std::optional<MetricsWatch> counters;
  if (metrics) {
    auto begun = MetricsWatch::begin(*metrics, plan.tls);
    if (!begun) return begun.error();
    counters = std::move(*begun);
  }
  if (has_live_line()) {
    plan.on_second = [planned_s = result.planned_s](const SeriesPoint& last) {
      show_live_line(live_line(last, planned_s));
    };
  }
  const ControlGroup own_group = own_control_group();
  const std::uint64_t throttled_before = own_group.throttled();
  const auto outcome = run_load(plan, on_start, stop);
  if (plan.on_second) show_live_line({});
  if (!outcome) {
    Error error = outcome.error();
    if (embedded && embedded->death()) error.what = *embedded->death();
    return error;
  }
  enter_outcome(*outcome, result);
  result.audit.throttled = own_group.throttled() - throttled_before;
  if (sampler) sampler->finish(result);
  if (counters) counters->finish(result);
  if (embedded) {
    if (const auto death = embedded->death()) result.target_lost = *death;
  }
  return result;
}

Result<JudgedRun> run(const RunOptions& options, const std::stop_token& stop) {
  RunOptions attempted = options;
  for (unsigned attempt = 1;; ++attempt) {
    auto result = measure(attempted, stop);
    if (!result) return result.error();
    result->attempt = attempt;
    Verdict verdict = judge(*result, options.limits);
    const bool again = verdict.outcome == Outcome::invalid && attempt <= options.retries;
    if (!again) return JudgedRun{std::move(*result), std::move(verdict)};
    print_warning(program, fmt::format("run {} was invalid: {}; repeating it", attempt,
                                       verdict.reasons.front()));
    // No packet is ever sent twice; those of a search's next probe are of the next seed.
    attempted.plan.seed += std::uint64_t{1} << 32;
  }
}

int run_command_line(const RunOptions& options, const std::stop_token& stop) {
  for (const auto& file : {options.output, options.report, options.hdr_log}) {
    const auto writable = check_writable(file);
    if (!writable) return report_error(writable.error());
  }
  const auto judged = run(options, stop);
  if (!judged) return report_error(judged.error());
  const std::string json = to_json(judged->result, judged->verdict, options.limits);
  for (const std::string& warning : judged->verdict.warnings) print_warning(program, warning);
  // Without its results a run proves nothing to whoever reads them next.
  const bool written = write_all({{options.output, json},
                                  {options.hdr_log, judged->result.hdr_log},
                                  {options.report, report_of(options, *judged)}});
  const bool printed =
      print_or_complain(options.json ? json : summary_text(judged->result, judged->verdict));
  if (!written || !printed) return static_cast<int>(ExitStatus::inconclusive);
  return static_cast<int>(judged->verdict.exit_status());
}

}  // namespace slipway::bench
