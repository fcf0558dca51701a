#pragma once

#include "packet_bench/result/run_result.hpp"

#include <functional>
#include <string>
#include <thread>

namespace slipway::bench {

// The last second of a run on one line of a terminal: rate, p50, p99, errors, lateness, time left.
std::string live_line(const SeriesPoint& last, double planned_s);

// Whether stderr is a terminal that takes one.
bool has_live_line();

// Shows the line in the place of the one before it; an empty one leaves nothing.
void show_live_line(const std::string& line);

// Shows what `text` says, which any thread may ask, twice a second as long as this lives; where
// there is no terminal for it, nothing.
class LiveLine {
 public:
  explicit LiveLine(std::function<std::string()> text);

 private:
  std::jthread shower_;
};

}  // namespace slipway::bench
