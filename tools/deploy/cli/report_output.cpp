#include "deploy/cli/report_output.hpp"

#include "base/command_line.hpp"
#include "base/output_file.hpp"

#include <filesystem>
#include <iostream>

namespace slipway::deploy {

void print_report(const Report& report, const Options& options, const std::string& program) {
  if (options.json) {
    std::cout << to_json_text(report) << '\n';
    return;
  }
  for (const std::string& warning : report.warnings) print_warning(program, warning);
  if (report.exit_code == ExitCode::done) {
    std::cout << report.operation << ": " << report.message << '\n';
  } else {
    print_error(program, report.message);
    std::cout << report.operation << ": " << meaning(report) << '\n';
    if (!report.next_step.empty()) std::cout << "next: " << report.next_step << '\n';
  }
  std::cout << running_line(report) << '\n';
}

void write_report(const Report& report, const Options& options, const std::string& program) {
  if (options.report_file.empty()) return;
  const bool markdown = std::filesystem::path(options.report_file).extension() == ".md";
  const std::string text = markdown ? to_markdown(report) : to_json_text(report, 2) + "\n";
  if (auto written = write_output(options.report_file, text); !written) {
    print_warning(program, written.error().text());
  }
}

}  // namespace slipway::deploy
