#include "packet_bench/search/search.hpp"

#include "base/json.hpp"
#include "base/output_file.hpp"
#include "base/units.hpp"
#include "packet_bench/report/result_files.hpp"
#include "packet_bench/report/result_json.hpp"
#include "packet_bench/run/run.hpp"
#include "packet_bench/search/probe_outcome.hpp"

#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr double least_for_p99 = 100;  // answers, see RunResult

struct Probe {
  double rate;
  ProbeOutcome outcome;
  double p99_ms;
};

struct Search {
  std::vector<Probe> probes;
  std::optional<JudgedRun> best;  // the last sustained run at the highest rate that is still held
  GateLimits best_limits;
  bool interrupted = false;
};

void tell(const Probe& probe, std::size_t number, bool confirming) {
  fmt::print(
      stderr, "packet_bench: {} {}: {} packets/s, p99 {}: {}\n",
      confirming ? "confirming run" : "run", number, rate_text(probe.rate),
      std::isnan(probe.p99_ms) ? "of too few answers" : fmt::format("{:.3f} ms", probe.p99_ms),
      probe.outcome.sustained ? std::string("sustained")
                              : fmt::format("not sustained ({}: {})",
                                            to_string(probe.outcome.bound), probe.outcome.why));
}

Result<Search> run_search(const SearchOptions& options, RateSearch& search,
                          const std::stop_token& stop) {
  Search seen;
  while (const auto rate = search.next()) {
    RunOptions probe = options.run;
    probe.plan.rate = *rate;
    // A seed of its own for each run, so that no packet is ever sent twice.
    probe.plan.seed = options.run.plan.seed + seen.probes.size();
    probe.limits = {.threshold_tps = rate, .threshold_p99 = options.slo_p99};
    auto result = measure(probe, stop);
    if (!result) return result.error();
    Verdict verdict = judge(*result, probe.limits);
    if (verdict.outcome == Outcome::interrupted) {
      seen.interrupted = true;
      return seen;
    }
    seen.probes.push_back({*rate, probe_outcome(*result, verdict), result->latency.p99_ms});
    const Probe& last = seen.probes.back();
    tell(last, seen.probes.size(), search.confirming());
    if (last.outcome.sustained) {
      seen.best = JudgedRun{std::move(*result), std::move(verdict)};
      seen.best_limits = probe.limits;
    }
    search.record(last.outcome);
  }
  return seen;
}

std::string headline(const SearchOptions& options, const RateSearch& search) {
  const std::string slo = format_duration(options.slo_p99);
  if (!search.found()) {
    return fmt::format(
        "no rate is sustained with p99 within {}: {}: {}\n"
        "  the lowest that is tried is {:.1f} packets/s: of less, a run of {} has too few for a "
        "p99\n",
        slo, to_string(search.bounded_by()), search.why(), options.limits.least,
        format_duration(options.run.plan.duration));
  }
  if (search.bounded_by() == Bound::none) {
    return fmt::format(
        "{:.1f} packets/s and perhaps more are sustained with p99 within {} and no "
        "loss; higher rates were not allowed (--max-rate)\n",
        *search.found(), slo);
  }
  return fmt::format(
      "{}{:.1f} packets/s are sustained with p99 within {} and no loss\n"
      "  bounded by {}: at {:.1f} packets/s {}\n",
      search.bounded_by() == Bound::target ? "" : "at least ", *search.found(), slo,
      to_string(search.bounded_by()), search.too_high().value_or(0), search.why());
}

ExitStatus status_of(const RateSearch& search) {
  const bool own = search.bounded_by() == Bound::generator || search.bounded_by() == Bound::machine;
  if (own) return ExitStatus::inconclusive;
  return search.found() ? ExitStatus::passed : ExitStatus::failed;
}

Json search_json(const SearchOptions& options, const RateSearch& search,
                 const std::vector<Probe>& probes) {
  Json runs = Json::array();
  for (const Probe& probe : probes) {
    Json run{{"rate", probe.rate},
             {"sustained", probe.outcome.sustained},
             {"p99Ms", std::round(probe.p99_ms * 1e3) / 1e3}};
    if (!probe.outcome.sustained) {
      run["boundedBy"] = to_string(probe.outcome.bound);
      run["why"] = probe.outcome.why;
    }
    runs.push_back(run);
  }
  return {{"rate", *search.found()},
          {"sloP99Ms", std::chrono::duration<double, std::milli>(options.slo_p99).count()},
          {"resolutionPercent", 100 * options.limits.resolution},
          {"boundedBy", to_string(search.bounded_by())},
          {"why", search.why()},
          {"tooHigh", search.too_high() ? Json(*search.too_high()) : Json(nullptr)},
          {"runs", runs}};
}

}  // namespace

SearchFlags::SearchFlags(Flags& command)
    : run_(command, {.duration = "5s", .warmup = "1s", .judged = false}) {
  const auto add = [&command](const char* flag, const char* type, auto& into, const char* text) {
    return command.add(flag, into, text).value_name(type).group("Search");
  };
  add("--slo-p99", "TIME", slo_p99_, "the p99 that a sustained rate keeps within").show_default();
  add("--max-rate", "N", max_rate_, "the highest that is tried").show_default("5000000");
  add("--resolution", "PERCENT", resolution_, "between sustained and not").show_default();
  command.footer(
      "Examples:\n"
      "  packet_bench search --slo-p99 10ms\n"
      "  packet_bench search --target http://host:8080/ --connections 50 --rate 1000");
}

Result<SearchOptions> SearchFlags::checked() const {
  auto run = run_.checked();
  if (!run) return run.error();
  if (run->plan.closed_loop()) {
    return refused_flag("--rate", "max", "the rate to begin with");
  }
  SearchOptions options{.run = std::move(*run)};
  const auto slo = duration_flag("--slo-p99", slo_p99_, 1us, 10min);
  if (!slo) return slo.error();
  options.slo_p99 = *slo;
  options.limits.first = options.run.plan.rate;
  options.limits.least =
      least_for_p99 / std::chrono::duration<double>(options.run.plan.duration).count();
  if (options.limits.first < options.limits.least) {
    return refused_flag(
        "--rate", rate_text(options.limits.first),
        fmt::format("at least {:.1f} packets/s, as a p99 is of 100 answers or more, "
                    "or a longer --duration",
                    options.limits.least));
  }
  if (!(max_rate_ >= options.limits.first && max_rate_ <= 50e6)) {
    return refused_flag("--max-rate", fmt::format("{}", max_rate_),
                        "at least --rate and at most 50000000 packets a second");
  }
  options.limits.most = max_rate_;
  if (!(resolution_ >= 0.1 && resolution_ <= 50)) {
    return refused_flag("--resolution", fmt::format("{}", resolution_), "0.1 to 50 percent");
  }
  options.limits.resolution = resolution_ / 100;
  return options;
}

int search_command_line(const SearchOptions& options, const std::stop_token& stop) {
  const auto writable = check_writable(options.run.output);
  if (!writable) return report_error(writable.error());
  RateSearch search(options.limits);
  const auto seen = run_search(options, search, stop);
  if (!seen) return report_error(seen.error());
  if (seen->interrupted) {
    return report_error({ErrorKind::cancelled, "interrupted before a rate was confirmed", {}});
  }
  std::string json;
  if (search.found() && seen->best) {
    Json results = parse_json(to_json(seen->best->result, seen->best->verdict, seen->best_limits));
    results["details"]["search"] = search_json(options, search, seen->probes);
    json = to_text(results, 2) + "\n";
  }
  const bool written = json.empty() || write_all({{options.run.output, json}});
  const bool printed =
      print_or_complain(options.run.json && !json.empty() ? json : headline(options, search));
  if (!written || !printed) return static_cast<int>(ExitStatus::inconclusive);
  return static_cast<int>(status_of(search));
}

}  // namespace slipway::bench
