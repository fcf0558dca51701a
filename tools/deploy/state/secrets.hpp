#pragma once

// What a container says is shown to people and kept in the journal; what it was told in confidence
// must not be in it.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::deploy {

// The values of an environment file, and of the configuration files (JSON) beside it each `token`
// and what stands before the host in a URL. Values of less than 4 bytes are none; what cannot be
// read has none.
std::vector<std::string> secrets_of(const std::filesystem::path& environment_file,
                                    const std::filesystem::path& config_directory);

// The end of what was said, without blank lines after it: at most `most` bytes.
std::string last_words(std::string_view said, std::size_t most);

// The end of what was said, at most `most` bytes, without secrets, control characters, and blank
// lines after it. In text that was cut before, half a secret would not be recognised.
std::string presentable(std::string said, const std::vector<std::string>& secrets,
                        std::size_t most);

}  // namespace slipway::deploy
