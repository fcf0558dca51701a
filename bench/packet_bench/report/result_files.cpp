#include "packet_bench/report/result_files.hpp"

#include "base/command_line.hpp"
#include "base/output_file.hpp"
#include "packet_bench/gate/gate.hpp"

#include <cerrno>
#include <iostream>

namespace slipway::bench {
namespace {

int status_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::usage:
      return static_cast<int>(ExitStatus::usage);
    case ErrorKind::cancelled:
      return static_cast<int>(ExitStatus::interrupted);
    case ErrorKind::io:  // this machine or its limits, and not the target
      return static_cast<int>(ExitStatus::inconclusive);
    default:
      return static_cast<int>(ExitStatus::target);
  }
}

}  // namespace

bool write_all(const std::vector<ResultFile>& files) {
  bool all = true;
  for (const auto& [path, content] : files) {
    if (path.empty()) continue;
    const auto written = write_output(path, content);
    if (written) continue;
    print_error(program, written.error().text());
    all = false;
  }
  return all;
}

bool print_or_complain(const std::string& text) {
  std::cout << text << std::flush;
  if (std::cout) return true;
  print_error(program, io_error("cannot write to", "stdout", errno).text());
  return false;
}

int report_error(const Error& error) {
  print_error(program, error.text());
  return status_of(error);
}

}  // namespace slipway::bench
