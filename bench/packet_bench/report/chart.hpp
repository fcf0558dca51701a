#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace slipway::bench {

// A chart of a report's page as plain values; page/report.js draws it. A value that is NaN is a
// gap.
struct Chart {
  // stacked: bars of counts, one on the other. heat: `cells`, and no lines.
  enum class Kind { lines, stacked, heat };
  // What the horizontal axis is: time from 0 to `length`, or percentiles, each nine as wide as the
  // one before.
  enum class Axis { seconds, percent };

  struct Line {
    std::string name;
    std::string colour;          // a custom property of page/report.css, without its dashes
    std::vector<double> values;  // as many as `at`
    bool points = false;         // each for itself, not joined
  };
  // A line across, or a band where high is more than low.
  struct Level {
    std::string name;
    std::string colour;
    double low = 0;
    double high = 0;
  };
  // For each of `at` how many there are up to each bound and above the next lower one.
  using Cells = std::vector<std::map<double, std::uint64_t>>;

  std::string id;  // in the page: letters and dashes
  std::string title;
  std::string unit;  // of the vertical axis
  Kind kind = Kind::lines;
  Axis axis = Axis::seconds;
  bool log_y = false;
  double length = 0;           // seconds: the axis' end
  std::vector<double> at;      // ascending; the middle of what a value covers
  std::vector<double> widths;  // seconds: how much it covers; 0: only a gap between two
  std::vector<Line> lines;
  std::vector<Level> levels;
  Cells cells;
};

nlohmann::ordered_json to_json(const Chart& chart);

// A figure of the results as they are written: three decimals are below what any clock here
// resolves, and more only make diffs noisy.
double thousandths(double value);

}  // namespace slipway::bench
