#include "slipway/cli/rehearse.hpp"

#include "base/command_line.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::front {
namespace {

namespace fs = std::filesystem;

// As it is installed (bin beside share), and as it lies in the sources (build/PRESET/bin).
fs::path library_of(const fs::path& executables) {
  std::error_code ignored;
  for (const char* place : {"../share/slipway/scripts/lib", "../../../scripts/lib"}) {
    const fs::path library = (executables / place).lexically_normal();
    if (fs::exists(library / "slipway" / "rehearsal", ignored)) return library;
  }
  return {};
}

}  // namespace

int rehearse(const std::vector<std::string>& arguments) {
  std::error_code failed;
  const fs::path executables = fs::read_symlink("/proc/self/exe", failed).parent_path();
  const fs::path library = library_of(executables);
  if (library.empty()) {
    print_error("slipway", fmt::format("the rehearsal is not beside {}; install the whole tarball",
                                       executables.string()));
    return exit_usage;
  }
  ::setenv("PYTHONPATH", library.c_str(), 1);
  std::vector<std::string> words{"python3", "-m", "slipway.rehearsal.elsewhere", "--executables",
                                 executables.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp("python3", argv.data());
  print_error("slipway", fmt::format("cannot start python3: {}; install it", std::strerror(errno)));
  return exit_usage;
}

}  // namespace slipway::front
