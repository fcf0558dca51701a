#include "packet_bench/report/chart.hpp"

#include "base/json.hpp"

#include <cmath>

namespace slipway::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(Chart::Kind kind) {
  switch (kind) {
    case Chart::Kind::lines:
      return "lines";
    case Chart::Kind::stacked:
      return "stacked";
    case Chart::Kind::heat:
      return "heat";
  }
  return "unknown";
}

// [[up to, count], ...] for each column.
Json cells_json(const Chart::Cells& cells) {
  Json columns = Json::array();
  for (const auto& column : cells) {
    Json pairs = Json::array();
    for (const auto& [up_to, count] : column) pairs.push_back({up_to, count});
    columns.push_back(std::move(pairs));
  }
  return columns;
}

}  // namespace

Json to_json(const Chart& chart) {
  Json lines = Json::array();
  for (const Chart::Line& line : chart.lines) {
    lines.push_back({{"name", line.name},
                     {"colour", line.colour},
                     {"points", line.points},
                     {"values", line.values}});
  }
  Json levels = Json::array();
  for (const Chart::Level& level : chart.levels) {
    levels.push_back(
        {{"name", level.name}, {"colour", level.colour}, {"low", level.low}, {"high", level.high}});
  }
  return {{"id", chart.id},
          {"title", chart.title},
          {"unit", chart.unit},
          {"kind", name_of(chart.kind)},
          {"axis", chart.axis == Chart::Axis::seconds ? "seconds" : "percent"},
          {"logY", chart.log_y},
          {"length", chart.length},
          {"at", chart.at},
          {"widths", chart.widths},
          {"lines", lines},
          {"levels", levels},
          {"cells", cells_json(chart.cells)}};
}

double thousandths(double value) {
  return std::round(value * 1e3) / 1e3;
}

}  // namespace slipway::bench
