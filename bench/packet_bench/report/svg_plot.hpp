#pragma once

#include <string>
#include <utility>
#include <vector>

namespace slipway::bench {

// A line chart as inline SVG, coloured by the page's CSS classes `line-0`, `line-1`, ...
struct SvgPlot {
  std::string title;
  std::string y_unit;
  bool log_y = false;
  struct Line {
    std::string name;
    std::vector<std::pair<double, double>> points;  // in the order of x; y is NaN: a gap
  };
  std::vector<Line> lines;
  std::vector<std::pair<double, std::string>> x_ticks;
};

std::string to_svg(const SvgPlot& plot);

// The text with what HTML gives a meaning to replaced.
std::string html_escaped(const std::string& text);

}  // namespace slipway::bench
