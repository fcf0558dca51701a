#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "base/stop_signal.hpp"
#include "packet_bench/compare/compare.hpp"
#include "packet_bench/duet/duet_flags.hpp"
#include "packet_bench/power/power.hpp"
#include "packet_bench/run/help.hpp"
#include "packet_bench/run/options.hpp"
#include "packet_bench/run/run.hpp"
#include "packet_bench/search/search.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

using namespace slipway;

namespace {

// Checks what a command was given, and performs it.
template <typename Flags, typename Command>
int perform(const Flags& flags, Command command) {
  const auto options = flags.checked();
  if (!options) {
    print_error("packet_bench", options.error().text());
    return exit_usage;
  }
  const StopOnSignal stop;
  return command(*options, stop.token());
}

}  // namespace

int main(int argc, char** argv) {
  return guarded_main("packet_bench", static_cast<int>(bench::ExitStatus::target), [&] {
    CLI::App app("Drives packets at a fixed rate and says what became of each.", "packet_bench");
    app.set_version_flag("--version", fmt::format("packet_bench {} ({})", build_info().version,
                                                  build_info().revision));
    app.require_subcommand(1);
    app.set_help_flag("-h,--help");  // without a description, as who reads it knows
    app.formatter_fn(bench::help_text);
    CLI::App* run = app.add_subcommand("run", "one run, judged");
    const bench::RunFlags run_flags(*run);
    run->footer(
        "Examples:\n"
        "  packet_bench run --threshold-tps 10000\n"
        "  packet_bench run --target btp+ws://:TOKEN@host:4000/ --destination g.bob");
    CLI::App* search = app.add_subcommand("search", "the highest rate within --slo-p99, no loss");
    const bench::SearchFlags search_flags(*search);
    CLI::App* duet = app.add_subcommand("duet", "candidate against base, in the same seconds");
    const bench::DuetFlags duet_flags(*duet);
    CLI::App* compare = app.add_subcommand("compare", "stored results, and steps in a history");
    const bench::CompareFlags compare_flags(*compare);
    CLI::App* power = app.add_subcommand("power", "what the duet's verdicts are worth here");
    const bench::PowerCommand power_command(*power);
    app.footer(
        "Examples:\n  packet_bench run --duration 10s\n  packet_bench search --slo-p99 10ms");
    if (const auto status = parse_command_line(app, argc, argv)) return *status;
    if (search->parsed()) return perform(search_flags, bench::search_command_line);
    if (duet->parsed()) return perform(duet_flags, bench::duet_command_line);
    if (compare->parsed()) return perform(compare_flags, bench::compare_command_line);
    if (power->parsed()) return power_command.run(StopOnSignal().token());
    return perform(run_flags, bench::run_command_line);
  });
}
