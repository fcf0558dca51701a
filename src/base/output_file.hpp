#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <string_view>

namespace slipway {

// Files that the caller names for us to write: reports and results.

// One that cannot be written is known before the work, not after it. No file, no error. Errors:
// usage.
Result<void> check_writable(const std::filesystem::path& file);

// Replaces the file as a whole, where a link leads; what was there stays when that fails. What is
// no regular file (a device, a FIFO, /dev/stdout) is written to. Errors: io.
Result<void> write_output(const std::filesystem::path& file, std::string_view content);

}  // namespace slipway
