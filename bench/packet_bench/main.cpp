#include "base/command_line.hpp"
#include "packet_bench/cli/commands.hpp"
#include "packet_bench/gate/gate.hpp"

int main(int argc, char** argv) {
  using namespace slipway;
  return guarded_main("packet_bench", static_cast<int>(bench::ExitStatus::target),
                      [&] { return bench::packet_bench_command_line(argc, argv); });
}
