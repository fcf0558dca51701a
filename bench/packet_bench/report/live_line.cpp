#include "packet_bench/report/live_line.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {

std::string live_line(const SeriesPoint& last, double planned_s) {
  const double seconds = std::max(last.seconds, 1e-9);
  const double left = std::max(0.0, planned_s - last.begin_s - last.seconds);
  return fmt::format(
      "{:.0f}/s  p50 {:.3f} ms  p99 {:.3f} ms  {} not fulfilled  late by up to {:.3f} "
      "ms  {:.0f} s left",
      static_cast<double>(last.fulfilled) / seconds, last.p50_ms, last.p99_ms, last.not_fulfilled,
      last.lateness_max_ms, left);
}

bool has_live_line() {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

void show_live_line(const std::string& line) {
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
}

}  // namespace slipway::bench
