#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "base/stop_signal.hpp"
#include "packet_bench/compare/compare.hpp"
#include "packet_bench/duet/duet_flags.hpp"
#include "packet_bench/gate/gate.hpp"
#include "packet_bench/power/power.hpp"
#include "packet_bench/run/options.hpp"
#include "packet_bench/run/run.hpp"
#include "packet_bench/search/search.hpp"

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
    CommandLine line("packet_bench",
                     "Drives packets at a fixed rate and says what became of each.");
    line.version(fmt::format("packet_bench {} ({})", build_info().version, build_info().revision));
    line.require_commands(1, 1);
    line.group_help(bench::exit_status_help());
    Flags run = line.add_command("run", "one run, judged");
    const bench::RunFlags run_flags(run);
    run.footer(
        "Examples:\n"
        "  packet_bench run --threshold-tps 10000\n"
        "  packet_bench run --target btp+ws://:TOKEN@host:4000/ --destination g.bob");
    Flags search = line.add_command("search", "the highest rate within --slo-p99, no loss");
    const bench::SearchFlags search_flags(search);
    Flags duet = line.add_command("duet", "candidate against base, in the same seconds");
    const bench::DuetFlags duet_flags(duet);
    Flags compare = line.add_command("compare", "stored results, and steps in a history");
    const bench::CompareFlags compare_flags(compare);
    Flags power = line.add_command("power", "what the duet's verdicts are worth here");
    const bench::PowerCommand power_command(power);
    line.footer(
        "Examples:\n  packet_bench run --duration 10s\n  packet_bench search --slo-p99 10ms");
    if (const auto status = line.parse(argc, argv)) return *status;
    if (search.given()) return perform(search_flags, bench::search_command_line);
    if (duet.given()) return perform(duet_flags, bench::duet_command_line);
    if (compare.given()) return perform(compare_flags, bench::compare_command_line);
    if (power.given()) return power_command.run(StopOnSignal().token());
    return perform(run_flags, bench::run_command_line);
  });
}
