#include "packet_bench/report/live_line.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <fmt/core.h>

namespace slipway::bench {

std::string live_line(const SeriesPoint& last, double planned_s) {
  const double seconds = std::max(last.seconds, 1e-9);
  const double left = std::max(0.0, planned_s - last.begin_s - last.seconds);
  std::string text = fmt::format("{:.0f}/s", static_cast<double>(last.fulfilled) / seconds);
  if (last.not_fulfilled > 0) text += fmt::format("  {} not fulfilled", last.not_fulfilled);
  for (const auto& [name, ms] : {std::pair{"p50", last.p50_ms}, std::pair{"p99", last.p99_ms}}) {
    if (!std::isnan(ms)) text += fmt::format("  {} {:.3f} ms", name, ms);
  }
  return text + fmt::format("  {:.0f} s left  late by up to {:.3f} ms", left, last.lateness_max_ms);
}

bool has_live_line() {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

// A line that is wider than the terminal would stay there when the next one is written.
void show_live_line(const std::string& line) {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  const std::size_t width = known ? size.ws_col - 1u : 79;
  fmt::print(stderr, "\r\x1b[K{}", std::string_view(line).substr(0, width));
  std::fflush(stderr);
}

LiveLine::LiveLine(std::function<std::string()> text) {
  if (!has_live_line()) return;
  shower_ = std::jthread([text = std::move(text)](const std::stop_token& over) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    do {
      show_live_line(text());
    } while (!changed.wait_for(lock, over, std::chrono::milliseconds(500),
                               [&over] { return over.stop_requested(); }));
    show_live_line({});
  });
}

}  // namespace slipway::bench
