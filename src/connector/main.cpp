#include "base/command_line.hpp"
#include "base/stop_signal.hpp"
#include "connector/commands.hpp"

int main(int argc, char** argv) {
  using namespace slipway;
  const StopOnSignal stop;
  return guarded_main("connector", static_cast<int>(connector::ExitStatus::failed),
                      [&] { return connector::run_command_line(argc, argv, stop.token()); });
}
