#include "base/output_file.hpp"

#include "base/durable_file.hpp"

#include <cerrno>
#include <string>
#include <system_error>
#include <unistd.h>

namespace slipway {
namespace {

// What must not be replaced: devices, FIFOs, and what /dev/stdout leads to, whatever it is.
bool is_special(const std::filesystem::path& file) {
  std::error_code absent;
  const std::string folder = std::filesystem::absolute(file).parent_path().string() + "/";
  const bool is_shared_memory = folder.starts_with("/dev/shm/");  // ordinary files
  if (folder.starts_with("/proc/") || (folder.starts_with("/dev/") && !is_shared_memory)) {
    return true;
  }
  return std::filesystem::is_other(file, absent);
}

// Where a link leads, also when nothing is there yet.
std::filesystem::path behind_links(std::filesystem::path file) {
  constexpr int most = 40;  // as the kernel's
  std::error_code failed;
  for (int i = 0; i < most && std::filesystem::is_symlink(file, failed); ++i) {
    const auto target = std::filesystem::read_symlink(file, failed);
    if (failed) break;
    file = target.is_absolute() ? target : file.parent_path() / target;
  }
  return file;
}

}  // namespace

Result<void> check_writable(const std::filesystem::path& asked) {
  if (asked.empty()) return {};
  if (is_special(asked)) {
    if (::access(asked.c_str(), W_OK) == 0) return {};
    Error refused = io_error("cannot write", asked.string(), errno);
    refused.kind = ErrorKind::usage;
    return refused;
  }
  const std::filesystem::path file = behind_links(asked);
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

Result<void> write_output(const std::filesystem::path& file, std::string_view content) {
  return is_special(file) ? append_to(file, content) : write_durably(behind_links(file), content);
}

}  // namespace slipway
