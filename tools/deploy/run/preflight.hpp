#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <filesystem>

namespace slipway::deploy {

// Errors: failed, naming the folder, what is free and what is needed.
Result<void> check_free_space(const std::filesystem::path& directory, std::uint64_t needed_bytes);

// That nobody listens on the port. Errors: busy, naming the process that does.
Result<void> check_port_free(std::uint16_t port);

}  // namespace slipway::deploy
