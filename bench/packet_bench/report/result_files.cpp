#include "packet_bench/report/result_files.hpp"

#include "base/command_line.hpp"
#include "base/durable_file.hpp"
#include "packet_bench/gate/gate.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace slipway::bench {
namespace {

int status_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::usage:
      return static_cast<int>(ExitStatus::usage);
    case ErrorKind::cancelled:
      return static_cast<int>(ExitStatus::interrupted);
    default:
      return static_cast<int>(ExitStatus::target);
  }
}

}  // namespace

Result<void> check_writable(const std::filesystem::path& file) {
  if (file.empty()) return {};
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(file, ignored);
  if (::access(folder.c_str(), W_OK | X_OK) == 0 && !is_folder) return {};
  const int error = is_folder ? EISDIR : errno;
  Error refused = io_error("cannot write", file.string(), error);
  refused.kind = ErrorKind::usage;
  refused.remedy = "give a file in a writable folder";
  return refused;
}

bool write_or_complain(const std::filesystem::path& file, const std::string& content) {
  if (file.empty()) return true;
  const auto written = write_durably(file, content);
  if (!written) print_error(program, written.error().text());
  return written.has_value();
}

int report_error(const Error& error) {
  print_error(program, error.text());
  return status_of(error);
}

}  // namespace slipway::bench
