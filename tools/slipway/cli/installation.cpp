#include "slipway/cli/installation.hpp"

#include <array>

#include <fmt/core.h>

namespace slipway::front {
namespace {

namespace fs = std::filesystem;

// The first of the places, beside the executables, that has the file.
fs::path first_with(const std::array<const char*, 2>& places, const char* file) {
  std::error_code ignored;
  for (const char* place : places) {
    const fs::path folder = (folder_of_executables() / place).lexically_normal();
    if (fs::exists(folder / file, ignored)) return folder;
  }
  return {};
}

}  // namespace

fs::path folder_of_executables() {
  std::error_code failed;
  return fs::read_symlink("/proc/self/exe", failed).parent_path();
}

fs::path folder_of_scripts() {
  return first_with({"../share/slipway/scripts", "../../../scripts"}, "setup-host");
}

fs::path folder_of_workflows() {
  return first_with({"../share/slipway/workflows", "../../../tools/slipway/workflows"}, "ci.yml");
}

std::string incomplete_installation(const std::string& what) {
  return fmt::format("{} are not beside {}; install the whole tarball", what,
                     folder_of_executables().string());
}

}  // namespace slipway::front
