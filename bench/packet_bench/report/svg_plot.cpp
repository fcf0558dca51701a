#include "packet_bench/report/svg_plot.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

constexpr double width = 760;
constexpr double height = 240;
constexpr double left = 64;
constexpr double right = 12;
constexpr double top = 28;
constexpr double bottom = 28;
constexpr double least_log = 1e-3;

struct Scale {
  double low;
  double high;
  bool log;

  double share(double value) const {
    if (!log) return (value - low) / (high - low);
    return std::log(std::max(value, least_log) / low) / std::log(high / low);
  }
};

Scale y_scale(const SvgPlot& plot) {
  double low = 1e300;
  double high = 0;
  for (const auto& line : plot.lines) {
    for (const auto& [x, y] : line.points) {
      if (std::isnan(y)) continue;
      low = std::min(low, y);
      high = std::max(high, y);
    }
  }
  if (!plot.log_y) return {0, high > 0 ? high * 1.1 : 1, false};
  low = std::pow(10, std::floor(std::log10(std::max(low, least_log))));
  high = std::pow(10, std::ceil(std::log10(std::max(high, low * 1.01))));
  return {low, high, true};
}

std::vector<double> y_ticks(const Scale& scale) {
  std::vector<double> ticks;
  if (scale.log) {
    double value = scale.low;
    while (value <= scale.high * 1.001) {
      ticks.push_back(value);
      value *= 10;
    }
  } else {
    for (int i = 0; i <= 4; ++i) ticks.push_back(scale.high * i / 4);
  }
  return ticks;
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string to_svg(const SvgPlot& plot) {
  const Scale y = y_scale(plot);
  double x_low = 1e300;
  double x_high = -1e300;
  for (const auto& line : plot.lines) {
    for (const auto& [at, value] : line.points) {
      x_low = std::min(x_low, at);
      x_high = std::max(x_high, at);
    }
  }
  if (x_high < x_low) return {};
  const double x_span = std::max(x_high - x_low, 1e-9);
  const auto x_at = [&](double value) {
    return left + (value - x_low) / x_span * (width - left - right);
  };
  const auto y_at = [&](double value) {
    return height - bottom - y.share(value) * (height - top - bottom);
  };
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", width,
                                height, html_escaped(plot.title));
  svg += fmt::format("<text class=\"title\" x=\"{}\" y=\"16\">{}</text>", left,
                     html_escaped(plot.title));
  for (const double tick : y_ticks(y)) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/><text class=\"y\" "
        "x=\"{:.1f}\" y=\"{:.1f}\">{:g} {}</text>",
        left, y_at(tick), width - right, left - 6, y_at(tick) + 4, tick, html_escaped(plot.y_unit));
  }
  for (const auto& [at, label] : plot.x_ticks) {
    svg += fmt::format("<text class=\"x\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x_at(at),
                       height - 8, html_escaped(label));
  }
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    std::string path;
    bool gap = true;
    for (const auto& [at, value] : plot.lines[i].points) {
      const bool begins = std::exchange(gap, std::isnan(value));
      if (!gap) path += fmt::format("{}{:.1f} {:.1f}", begins ? "M" : "L", x_at(at), y_at(value));
    }
    svg += fmt::format(
        "<path class=\"line line-{}\" d=\"{}\"/><text class=\"legend line-{}\" "
        "x=\"{:.1f}\" y=\"16\">{}</text>",
        i, path, i, width - right - 70 * static_cast<double>(i), html_escaped(plot.lines[i].name));
  }
  return svg + "</svg>\n";
}

}  // namespace slipway::bench
