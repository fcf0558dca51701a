#pragma once

// What a container was told in confidence, so that foreign_text() can hide it.

#include <filesystem>
#include <string>
#include <vector>

namespace slipway::deploy {

// The values of an environment file, and of the configuration files (JSON) beside it each `token`
// and what stands before the host in a URL. Values of less than 4 bytes are none; what cannot be
// read has none.
std::vector<std::string> secrets_of(const std::filesystem::path& environment_file,
                                    const std::filesystem::path& config_directory);

// The same, of the values of variables and the contents of configuration files.
std::vector<std::string> secrets_in(const std::vector<std::string>& values,
                                    const std::vector<std::string>& contents);

}  // namespace slipway::deploy
