#pragma once

#include "base/error.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace slipway::bench {

// What kind of file a result was read from, and so what may be concluded from it.
enum class StoredKind {
  run,              // benchmark-results.json
  google_benchmark  // Google Benchmark's JSON, or instruction counts in the same shape
};

// A measured quantity in a stored result, larger being worse.
struct StoredMetric {
  std::vector<double> values;  // repetitions within the file
  bool exact = false;          // a count that does not vary, such as instructions
};

struct StoredResult {
  std::filesystem::path file;
  StoredKind kind = StoredKind::run;
  std::string timestamp;  // ISO 8601, as it is written there
  std::chrono::system_clock::time_point time;
  std::string machine;  // processors and their model: what makes figures comparable at all
  std::string rate;     // packets a second, or max; empty: not of that kind
  std::string target;   // of a run, with its number of connections
  std::string doubt;    // why its figures are not to be built on; empty: they are
  std::map<std::string, StoredMetric> metrics;
};

// Reads a result and checks all of it that is used. Errors: not_found, io; corrupt for a file that
// is empty, cut off, of another schema, or holds a figure that is no positive number, or no time.
Result<StoredResult> read_stored(const std::filesystem::path& file);

// One file, or all *.json of a folder in the order of their times. Errors as above, and
// not_found when the folder holds none.
Result<std::vector<StoredResult>> read_stored_all(const std::filesystem::path& path);

}  // namespace slipway::bench
