#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace slipway {

// Replaces the file at `path` by `content` so that a reader, and a machine that loses power, sees
// either the old file or the whole new one: written beside it, fsync, rename, fsync of the folder.
// `mode` is the new file's permission bits. On failure the old file is untouched.
Result<void> write_durably(const std::filesystem::path& path, std::string_view content,
                           mode_t mode = 0644);

// Writes at the end of what is there already: a device, a FIFO, a file. Errors: io.
Result<void> append_to(const std::filesystem::path& path, std::string_view content);

// The whole file as bytes; `not_found` when it does not exist, `io` when it is larger than
// `limit` bytes or cannot be read.
Result<std::string> read_file(const std::filesystem::path& path,
                              std::size_t limit = std::size_t{64} << 20);

// A folder with exactly these permission bits, whatever the umask; one that is there gets them. Its
// parent must exist. Errors: io.
Result<void> make_directory(const std::filesystem::path& path, mode_t mode);

// The folder and what is missing above it. Errors: io, with this remedy.
Result<void> make_directories(const std::filesystem::path& path, const std::string& remedy);

// fsync of a folder: makes the creation, rename or removal of entries in it durable.
Result<void> sync_directory(const std::filesystem::path& directory);

}  // namespace slipway
