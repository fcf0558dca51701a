#include "base/command_line.hpp"
#include "base/stop_signal.hpp"
#include "deploy/cli/app.hpp"
#include "deploy/cli/flags.hpp"
#include "deploy/model/exit_code.hpp"

int main(int argc, char** argv) {
  using namespace slipway;
  return guarded_main("rollback", static_cast<int>(deploy::ExitCode::failed), [&] {
    CommandLine line(
        "rollback",
        "Takes this host back to the version proven healthy before the one that runs, or to the "
        "one named.");
    deploy::Options options;
    deploy::declare_options(line, options, deploy::Action::rollback);
    if (const auto status = line.parse(argc, argv)) return *status;
    if (const auto wrong = deploy::settle_options(options)) {
      print_error("rollback", *wrong);
      return exit_usage;
    }
    StopOnSignal stop;
    return deploy::run(options, "rollback", stop.token());
  });
}
