#include "slipway/cli/scripts.hpp"

#include "base/command_line.hpp"
#include "slipway/cli/installation.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::front {
namespace {

namespace fs = std::filesystem;

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
  print_error("slipway", incomplete_installation("its scripts"));
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
  if (std::find(arguments.begin(), arguments.end(), "--kubernetes") != arguments.end()) {
    ::setenv("PYTHONPATH", (scripts / "lib").c_str(), 1);
    return become({"python3", "-m", "slipway.cluster_account"}, arguments);
  }
  return become({"bash", (scripts / "setup-host").string()}, arguments);
}

}  // namespace slipway::front
