#pragma once

namespace slipway::bench {

// `packet_bench COMMAND ...`: parses, checks and performs. The exit status, see ExitStatus.
int packet_bench_command_line(int argc, const char* const* argv);

}  // namespace slipway::bench
