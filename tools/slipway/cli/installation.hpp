#pragma once

#include <filesystem>
#include <string>

// Where what belongs to this executable lies: as it is installed (bin beside share/slipway), and as
// it lies in the sources (build/PRESET/bin).
namespace slipway::front {

std::filesystem::path folder_of_executables();
// Each empty where it is not there.
std::filesystem::path folder_of_scripts();
std::filesystem::path folder_of_workflows();

// What to do about an empty one.
std::string incomplete_installation(const std::string& what);

}  // namespace slipway::front
