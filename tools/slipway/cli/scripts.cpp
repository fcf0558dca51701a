#include "slipway/cli/scripts.hpp"

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

fs::path folder_of_executables() {
  std::error_code failed;
  return fs::read_symlink("/proc/self/exe", failed).parent_path();
}

// As they are installed (bin beside share), and as they lie in the sources (build/PRESET/bin).
fs::path folder_of_scripts() {
  std::error_code ignored;
  for (const char* place : {"../share/slipway/scripts", "../../../scripts"}) {
    const fs::path scripts = (folder_of_executables() / place).lexically_normal();
    if (fs::exists(scripts / "setup-host", ignored)) return scripts;
  }
  return {};
}

int become(std::vector<std::string> words, const std::vector<std::string>& arguments) {
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  print_error("slipway",
              fmt::format("cannot start {}: {}; install it", words.front(), std::strerror(errno)));
  return exit_usage;
}

int no_scripts() {
  print_error("slipway", fmt::format("its scripts are not beside {}; install the whole tarball",
                                     folder_of_executables().string()));
  return exit_usage;
}

}  // namespace

int gate(const std::vector<std::string>& arguments) {
  return become(
      {(folder_of_executables() / "packet_bench").string(), "duet", "--service", "slipway.yml"},
      arguments);
}

int rehearse(const std::vector<std::string>& arguments) {
  const fs::path scripts = folder_of_scripts();
  if (scripts.empty()) return no_scripts();
  ::setenv("PYTHONPATH", (scripts / "lib").c_str(), 1);
  return become({"python3", "-m", "slipway.rehearsal.elsewhere", "--executables",
                 folder_of_executables().string()},
                arguments);
}

int setup(const std::vector<std::string>& arguments) {
  const fs::path scripts = folder_of_scripts();
  if (scripts.empty()) return no_scripts();
  ::setenv("SLIPWAY_EXECUTABLES", folder_of_executables().c_str(), 1);
  return become({"bash", (scripts / "setup-host").string()}, arguments);
}

}  // namespace slipway::front
