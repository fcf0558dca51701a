#include "base/command_line.hpp"
#include "base/stop_signal.hpp"
#include "deploy/cli/app.hpp"
#include "deploy/cli/flags.hpp"
#include "deploy/model/exit_code.hpp"

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  using namespace slipway;
  return guarded_main("rollback", static_cast<int>(deploy::ExitCode::failed), [&] {
    CLI::App app{"Takes this host back to the last version proven healthy, or to the one named.",
                 "rollback"};
    deploy::Options options;
    deploy::declare_options(app, options, deploy::Action::rollback);
    if (const auto status = parse_command_line(app, argc, argv)) return *status;
    if (const auto wrong = deploy::settle_options(options)) {
      print_error("rollback", *wrong);
      return exit_usage;
    }
    StopOnSignal stop;
    return deploy::run(options, "rollback", stop.token());
  });
}
