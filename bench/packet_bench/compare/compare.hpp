#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "packet_bench/common/change_point.hpp"
#include "packet_bench/compare/stored_result.hpp"
#include "packet_bench/duet/duet_judge.hpp"

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::bench {

struct CompareOptions {
  std::filesystem::path base;  // a file, or a folder of results
  std::filesystem::path changed;
  std::filesystem::path history;  // a folder; empty: none
  double allowed = 0.05;          // relative worsening of any metric
  double alpha = 0.01;            // of a false alarm among all metrics together
  // What may differ although it makes figures hard to compare: machine, rate, target.
  std::vector<std::string> despite;

  bool may_differ(std::string_view what) const;
  std::filesystem::path report;
};

struct MetricComparison {
  std::string metric;
  std::size_t pairs = 0;
  std::size_t unpaired = 0;  // values of one side that the other has no counterpart to
  bool exact = false;
  double worsening = 0;  // relative
  Interval interval;     // relative
  Finding finding = Finding::open;
};

// What stored results say, and how little that may be.
struct Comparison {
  DuetOutcome outcome = DuetOutcome::inconclusive;
  std::vector<MetricComparison> metrics;
  std::vector<std::string> notes;

  int exit_status() const;
};

// The i-th base result is paired with the i-th new one, and repetitions within files likewise: they
// should have been measured in turns. Errors (`usage`): the results are of different kinds,
// machines, rates or targets, or share no metric. What one side lacks, or is of a run that failed
// or is not to be trusted, is told in the notes and never passes.
Result<Comparison> compare(const std::vector<StoredResult>& before,
                           const std::vector<StoredResult>& after, const CompareOptions& options);

struct HistoryChange {
  std::string metric;
  ChangePoint point;
  std::string file;  // the first result on the new level
  std::string timestamp;
};

// The steps in each metric of a history, of results in order. A history of several machines or
// rates is an error (`usage`), and so is one of fewer than `least_history` results.
inline constexpr std::size_t least_history = 10;
Result<std::vector<HistoryChange>> search_history(const std::vector<StoredResult>& history,
                                                  const CompareOptions& options);

class CompareFlags {
 public:
  explicit CompareFlags(Flags& command);
  Result<CompareOptions> checked() const;

 private:
  std::string base_;
  std::string changed_;
  std::string history_;
  std::string allowed_ = "5%";
  std::vector<std::string> despite_;
  std::string report_;
};

// Compares or searches, prints, writes the report. The exit status.
int compare_command_line(const CompareOptions& options, std::stop_token stop);

}  // namespace slipway::bench
