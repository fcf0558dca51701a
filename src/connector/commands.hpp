#pragma once

#include <stop_token>

namespace slipway::connector {

// Exit statuses, printed in --help.
enum class ExitStatus { ok = 0, failed = 1, usage = 2 };

// Parses the command line and does what it says: `run` (the default) until `stop` is requested,
// `healthcheck`, `probe` or `ledger`. Returns the exit status.
int run_command_line(int argc, const char* const* argv, std::stop_token stop);

}  // namespace slipway::connector
