#include "deploy/cli/metrics_file.hpp"

#include "base/command_line.hpp"
#include "base/durable_file.hpp"
#include "deploy/model/metrics.hpp"

#include <chrono>

#include <fmt/core.h>

namespace slipway::deploy {

void write_metrics(const Report& report, const Result<Ledger>& ledger, const Config& config,
                   const std::string& program) {
  if (config.metrics_directory.empty()) return;
  const std::string text = metrics_text(
      {config.project, ledger ? &*ledger : nullptr, report, std::chrono::system_clock::now()});
  const auto file = config.metrics_directory / fmt::format("slipway-{}.prom", config.project);
  if (auto written = write_durably(file, text, 0644); !written) {
    print_warning(program, fmt::format("{}; make the folder that metricsDir of {} names; the "
                                       "outcome is not affected",
                                       written.error().text(), config.file.string()));
  }
}

}  // namespace slipway::deploy
