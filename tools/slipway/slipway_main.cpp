#include "base/command_line.hpp"
#include "slipway/cli/commands.hpp"

int main(int argc, char** argv) {
  using namespace slipway;
  return guarded_main("slipway", exit_usage,
                      [&] { return front::slipway_command_line(argc, argv); });
}
