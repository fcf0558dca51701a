#include "packet_bench/compare/compare.hpp"

#include "packet_bench/common/statistics.hpp"
#include "packet_bench/common/text.hpp"
#include "packet_bench/gate/gate.hpp"
#include "packet_bench/report/result_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

// What was measured between jobs on the same kind of machine, where duets differ by 0.3 %.
constexpr double spread_between_jobs = 0.26;

constexpr std::array differences{"machine", "rate", "target"};

Result<void> check_alike(const std::vector<const StoredResult*>& results,
                         const CompareOptions& options) {
  const StoredResult& first = *results.front();
  for (const StoredResult* result : results) {
    const auto differs = [&](const std::string& what, std::string remedy) {
      return Error{ErrorKind::usage,
                   fmt::format("{} and {} are of different {}", first.file.string(),
                               result->file.string(), what),
                   std::move(remedy)};
    };
    if (result->kind != first.kind) return differs("kinds", "give results of the same kind");
    const std::array pairs{std::pair{first.machine, result->machine},
                           std::pair{first.rate, result->rate},
                           std::pair{first.target, result->target}};
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto& [one, other] = pairs[i];
      if (one == other || options.may_differ(differences[i])) continue;
      return differs(fmt::format("{}s ({} and {})", differences[i], one, other),
                     fmt::format("measure both alike, or add --despite {}", differences[i]));
    }
  }
  return {};
}

// What keeps a comparison from being one: never a pass by omission.
std::vector<std::string> doubts_of(const std::vector<StoredResult>& before,
                                   const std::vector<StoredResult>& after) {
  std::vector<std::string> doubts;
  std::set<std::string> known;
  for (const auto* side : {&before, &after}) {
    for (const StoredResult& result : *side) {
      if (!result.doubt.empty()) {
        doubts.push_back(fmt::format("{} {}", result.file.string(), result.doubt));
      }
      for (const auto& [name, metric] : result.metrics) known.insert(name);
    }
  }
  for (const std::string& name : known) {
    std::set<bool> exact;
    for (const auto* side : {&before, &after}) {
      for (const StoredResult& result : *side) {
        const auto found = result.metrics.find(name);
        if (found != result.metrics.end()) {
          exact.insert(found->second.exact);
        } else {
          doubts.push_back(fmt::format("{} has no {}", result.file.string(), name));
        }
      }
    }
    if (exact.size() > 1) {
      doubts.push_back(
          fmt::format("{} is counted exactly in some results, measured in others", name));
    }
  }
  return doubts;
}

std::vector<double> values_of(const std::vector<StoredResult>& results, const std::string& metric) {
  std::vector<double> values;
  for (const StoredResult& result : results) {
    const auto found = result.metrics.find(metric);
    if (found == result.metrics.end()) continue;
    values.insert(values.end(), found->second.values.begin(), found->second.values.end());
  }
  return values;
}

MetricComparison compare_metric(const std::string& metric, bool exact,
                                const std::vector<double>& before, const std::vector<double>& after,
                                double allowed, double alpha) {
  MetricComparison comparison;
  comparison.metric = metric;
  comparison.exact = exact;
  comparison.pairs = std::min(before.size(), after.size());
  comparison.unpaired = std::max(before.size(), after.size()) - comparison.pairs;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < comparison.pairs; ++i) {
    ratios.push_back(std::log(after[i] / before[i]));
  }
  const double center = hodges_lehmann(ratios);
  const Interval interval = exact ? Interval{center, center} : signed_rank_interval(ratios, alpha);
  comparison.worsening = std::expm1(center);
  comparison.interval = {std::expm1(interval.low), std::expm1(interval.high)};
  const double border = std::log1p(allowed);
  if (interval.low > border) {
    comparison.finding = Finding::worse;
  } else if (interval.high < 0) {
    comparison.finding = Finding::better;
  } else if (interval.high <= border) {
    comparison.finding = Finding::within;
  }
  return comparison;
}

// The fewest values of which a signed-rank test at this level can reject anything.
std::size_t least_pairs(double alpha) {
  return static_cast<std::size_t>(std::ceil(-std::log2(alpha)));
}

void add_notes(const std::vector<StoredResult>& before, const std::vector<StoredResult>& after,
               double alpha, Comparison& comparison) {
  const bool exact = std::all_of(comparison.metrics.begin(), comparison.metrics.end(),
                                 [](const MetricComparison& metric) { return metric.exact; });
  for (const MetricComparison& metric : comparison.metrics) {
    if (metric.unpaired == 0) continue;
    comparison.notes.push_back(
        fmt::format("the last {} of {} have nothing to be compared with, and were left out",
                    metric.unpaired, metric.metric));
  }
  if (exact) return;
  std::size_t fewest = comparison.metrics.front().pairs;
  for (const MetricComparison& metric : comparison.metrics) {
    if (!metric.exact) fewest = std::min(fewest, metric.pairs);
  }
  if (fewest < least_pairs(alpha)) {
    comparison.notes.push_back(fmt::format(
        "{} {} of results, and at least {} are needed to say anything at this level; measure base "
        "and new in turns, and give two folders",
        fewest, fewest == 1 ? "pair" : "pairs", least_pairs(alpha)));
  }
  comparison.notes.push_back(fmt::format(
      "this is weak: results of {} and {} were stored at different moments, between which the same "
      "program differed by up to {:.0f} % elsewhere; packet_bench duet measures both in the same "
      "seconds",
      before.front().timestamp, after.front().timestamp, 100 * spread_between_jobs));
}

std::string table_of(const Comparison& comparison, double allowed) {
  std::string table =
      "| metric | worsening | interval | pairs | finding |\n|---|---|---|---|---|\n";
  for (const MetricComparison& metric : comparison.metrics) {
    const std::string interval = metric.exact ? "exact"
                                 : std::isfinite(metric.interval.low)
                                     ? fmt::format("{} to {}", signed_percent(metric.interval.low),
                                                   signed_percent(metric.interval.high))
                                     : "too few pairs";
    table +=
        fmt::format("| {} | {} | {} | {} | {} |\n", metric.metric, signed_percent(metric.worsening),
                    interval, metric.pairs, to_string(metric.finding));
  }
  return table + fmt::format("\nallowed: {}\n", signed_percent(allowed));
}

int finish(const std::string& text, const CompareOptions& options, int status) {
  const bool written = write_all({{options.report, text}});
  const bool printed = print_or_complain(text);
  return written && printed ? status : static_cast<int>(ExitStatus::inconclusive);
}

int compare_history(const CompareOptions& options) {
  auto history = read_stored_all(options.history);
  if (!history) {
    Error error = history.error();
    error.kind = ErrorKind::usage;
    return report_error(error);
  }
  const auto changes = search_history(*history, options);
  if (!changes) return report_error(changes.error());
  const std::vector<std::string> doubts = doubts_of(*history, {});
  std::string text =
      fmt::format("### packet_bench compare: {} {} in {} results\n\n", changes->size(),
                  changes->size() == 1 ? "step" : "steps", history->size());
  bool worse = false;
  for (const HistoryChange& change : *changes) {
    const double step = change.point.after / change.point.before - 1;
    worse = worse || step > options.allowed;
    text += fmt::format("- {} {} from {} ({}) on, p = {:.4f}\n", change.metric,
                        signed_percent(step), change.file, change.timestamp, change.point.p_value);
  }
  for (const std::string& doubt : doubts) text += "- " + doubt + "\n";
  text += fmt::format("\nallowed: {}\n", signed_percent(options.allowed));
  const ExitStatus status = worse            ? ExitStatus::failed
                            : doubts.empty() ? ExitStatus::passed
                                             : ExitStatus::inconclusive;
  return finish(text, options, static_cast<int>(status));
}

}  // namespace

bool CompareOptions::may_differ(std::string_view what) const {
  return std::find(despite.begin(), despite.end(), what) != despite.end();
}

int Comparison::exit_status() const {
  DuetVerdict verdict;
  verdict.outcome = outcome;
  return verdict.exit_status();
}

Result<Comparison> compare(const std::vector<StoredResult>& before,
                           const std::vector<StoredResult>& after, const CompareOptions& options) {
  std::vector<const StoredResult*> all;
  for (const auto* side : {&before, &after}) {
    for (const StoredResult& result : *side) all.push_back(&result);
  }
  const auto alike = check_alike(all, options);
  if (!alike) return alike.error();
  std::vector<std::pair<std::string, bool>> shared;
  for (const auto& [name, metric] : before.front().metrics) {
    const auto other = after.front().metrics.find(name);
    if (other != after.front().metrics.end() && other->second.exact == metric.exact) {
      shared.emplace_back(name, metric.exact);
    }
  }
  if (shared.empty()) {
    return Error{ErrorKind::usage, "the two sides have no metric in common",
                 "give results of the same benchmarks"};
  }
  // The chance of a false alarm is shared out among the metrics.
  const double alpha = options.alpha / static_cast<double>(shared.size());
  Comparison comparison;
  for (const auto& [name, exact] : shared) {
    comparison.metrics.push_back(compare_metric(name, exact, values_of(before, name),
                                                values_of(after, name), options.allowed, alpha));
  }
  const auto any = [&](Finding finding) {
    return std::any_of(
        comparison.metrics.begin(), comparison.metrics.end(),
        [finding](const MetricComparison& metric) { return metric.finding == finding; });
  };
  comparison.outcome = any(Finding::worse)    ? DuetOutcome::regression
                       : any(Finding::open)   ? DuetOutcome::inconclusive
                       : any(Finding::better) ? DuetOutcome::improvement
                                              : DuetOutcome::pass;
  comparison.notes = doubts_of(before, after);
  if (!comparison.notes.empty() && comparison.outcome != DuetOutcome::regression) {
    comparison.outcome = DuetOutcome::inconclusive;
  }
  add_notes(before, after, alpha, comparison);
  return comparison;
}

Result<std::vector<HistoryChange>> search_history(const std::vector<StoredResult>& history,
                                                  const CompareOptions& options) {
  if (history.size() < least_history) {
    return Error{ErrorKind::usage,
                 fmt::format("a history of {} results, and at least {} are needed to find a step",
                             history.size(), least_history),
                 "keep more results"};
  }
  std::vector<const StoredResult*> all;
  for (const StoredResult& result : history) all.push_back(&result);
  const auto alike = check_alike(all, options);
  if (!alike) return alike.error();
  std::vector<HistoryChange> changes;
  std::set<std::string> names;
  for (const StoredResult& result : history) {
    for (const auto& [name, metric] : result.metrics) names.insert(name);
  }
  for (const std::string& name : names) {
    std::vector<double> values;
    std::vector<const StoredResult*> of;
    for (const StoredResult& result : history) {
      const auto found = result.metrics.find(name);
      if (found == result.metrics.end()) continue;
      values.push_back(median(found->second.values));
      of.push_back(&result);
    }
    if (values.size() < least_history) continue;
    for (const ChangePoint& point : find_change_points(values, options.alpha)) {
      changes.push_back(
          {name, point, of[point.at]->file.filename().string(), of[point.at]->timestamp});
    }
  }
  return changes;
}

CompareFlags::CompareFlags(Flags& command) {
  command.add("base", base_, "stored results: a file, or a folder of them");
  command.add("new", changed_, "stored results to judge, likewise");
  command.add("--history", history_, "instead: find the steps in this folder of results")
      .value_name("FOLDER");
  command.add("--max-worse", allowed_, "how much worse any metric may be")
      .value_name("PERCENT")
      .show_default();
  command.add("--despite", despite_, "compare although these differ: machine, rate, target")
      .value_name("LIST")
      .separated_by(',');
  command.add("--report", report_, "FILE.md to write as well").value_name("FILE");
  command.footer(
      "Examples:\n"
      "  packet_bench compare base.json new.json --max-worse 1%\n"
      "  packet_bench compare --history results/");
}

Result<CompareOptions> CompareFlags::checked() const {
  CompareOptions options;
  const bool pair = !base_.empty() && !changed_.empty();
  if (pair == !history_.empty() || (!pair && !base_.empty())) {
    return Error{ErrorKind::usage, "nothing to compare",
                 "give BASE.json and NEW.json, or --history FOLDER"};
  }
  double value = 0;
  const char* const last = allowed_.data() + std::max<std::size_t>(allowed_.size(), 1) - 1;
  const auto [stopped, failed] = std::from_chars(allowed_.data(), last, value);
  if (failed != std::errc{} || stopped != last || *last != '%' || !(value > 0 && value <= 1000)) {
    return Error{ErrorKind::usage, fmt::format("--max-worse '{}' makes no sense", allowed_),
                 "give a percentage, as 5%"};
  }
  options.allowed = value / 100;
  for (const std::string& what : despite_) {
    if (std::find(differences.begin(), differences.end(), what) == differences.end()) {
      return Error{ErrorKind::usage, fmt::format("--despite '{}' makes no sense", what),
                   "give machine, rate or target"};
    }
    options.despite.push_back(what);
  }
  if (!report_.empty() && !report_.ends_with(".md")) {
    return Error{ErrorKind::usage, fmt::format("--report '{}' makes no sense", report_),
                 "give a file name that ends in .md"};
  }
  options.base = base_;
  options.changed = changed_;
  options.history = history_;
  options.report = report_;
  return options;
}

int compare_command_line(const CompareOptions& options, std::stop_token) {
  if (!options.history.empty()) return compare_history(options);
  std::vector<std::vector<StoredResult>> sides;
  for (const auto& path : {options.base, options.changed}) {
    auto results = read_stored_all(path);
    if (!results) {
      // Whatever is wrong with a file, it is the caller who gave it.
      Error error = results.error();
      error.kind = ErrorKind::usage;
      return report_error(error);
    }
    sides.push_back(std::move(*results));
  }
  const auto comparison = compare(sides[0], sides[1], options);
  if (!comparison) return report_error(comparison.error());
  std::string text =
      fmt::format("### packet_bench compare: {}\n\n", to_string(comparison->outcome));
  for (const std::string& note : comparison->notes) text += "- " + note + "\n";
  if (!comparison->notes.empty()) text += "\n";
  text += table_of(*comparison, options.allowed);
  return finish(text, options, comparison->exit_status());
}

}  // namespace slipway::bench
