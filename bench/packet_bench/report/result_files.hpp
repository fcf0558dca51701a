#pragma once

#include "base/error.hpp"
#include "packet_bench/common/program.hpp"

#include <filesystem>
#include <string>

namespace slipway::bench {

// A results file that cannot be written is known before the run, not after it. No file, no error.
Result<void> check_writable(const std::filesystem::path& file);

// Replaces the file as a whole; what was there stays when that fails, which is printed. True when
// it was written, or when there is none to write.
bool write_or_complain(const std::filesystem::path& file, const std::string& content);

// Prints the error; the exit status that it means.
int report_error(const Error& error);

}  // namespace slipway::bench
