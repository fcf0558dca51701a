#include "base/command_line.hpp"
#include "base/stop_signal.hpp"
#include "deploy/cli/app.hpp"
#include "deploy/cli/flags.hpp"
#include "deploy/model/exit_code.hpp"

int main(int argc, char** argv) {
  using namespace slipway;
  return guarded_main("deploy", static_cast<int>(deploy::ExitCode::failed), [&] {
    CommandLine line(
        "deploy",
        "Rolls this host forward to an image, and back by itself where it does not prove healthy.");
    deploy::Options options;
    deploy::declare_options(line, options, deploy::Action::deploy);
    if (const auto status = line.parse(argc, argv)) return *status;
    if (const auto wrong = deploy::settle_options(options)) {
      print_error("deploy", *wrong);
      return exit_usage;
    }
    StopOnSignal stop;
    return deploy::run(options, "deploy", stop.token());
  });
}
