#include "packet_bench/duet/duet_progress.hpp"

#include "packet_bench/duet/duet_words.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace slipway::bench {

std::string progress_text(std::size_t pairs, std::size_t left_out, std::size_t first_look,
                          const std::optional<MetricFinding>& cpu, double left_s) {
  std::string text = fmt::format("{} pairs", pairs);
  if (left_out > 0) text += fmt::format(", {} left out", left_out);
  text += cpu ? "  cpu " + worth_text(*cpu) : fmt::format("  first look after {}", first_look);
  return text + fmt::format("  at most {:.0f} s left", std::max(0.0, left_s));
}

void DuetProgress::note(const DuetVerdict& verdict) {
  const MetricFinding* const cpu = cpu_finding(verdict);
  const std::lock_guard lock(mutex_);
  pairs_ = verdict.pairs;
  left_out_ = verdict.left_out;
  if (cpu != nullptr) cpu_ = *cpu;
}

std::string DuetProgress::text(TimePoint now) const {
  const std::lock_guard lock(mutex_);
  return progress_text(pairs_, left_out_, first_look_, cpu_,
                       std::chrono::duration<double>(deadline_ - now).count());
}

}  // namespace slipway::bench
