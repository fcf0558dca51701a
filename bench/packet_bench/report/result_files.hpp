#pragma once

#include "base/error.hpp"
#include "packet_bench/common/program.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace slipway::bench {

struct ResultFile {
  std::filesystem::path path;  // empty: it is not asked for
  std::string content;
};

// Replaces each file as a whole, where a link leads; what was there stays when that fails. What is
// no regular file (a device, a FIFO, /dev/stdout) is written to. A failure is printed and keeps
// nothing else from being written. True when all were.
bool write_all(const std::vector<ResultFile>& files);

// To stdout. A failure is printed to stderr; false then.
bool print_or_complain(const std::string& text);

// Prints the error; the exit status that it means.
int report_error(const Error& error);

}  // namespace slipway::bench
