#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <string>

namespace slipway::deploy {

// HAProxy's answer to one command on its runtime socket. Errors: unreachable (it does not run),
// timeout, protocol (the answer does not end), usage (the path is too long), io.
Result<std::string> ask_haproxy(const std::filesystem::path& socket, const std::string& command);

}  // namespace slipway::deploy
