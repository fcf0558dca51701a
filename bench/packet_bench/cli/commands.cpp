#include "packet_bench/cli/commands.hpp"

#include "base/build_info.hpp"
#include "base/command_line.hpp"
#include "base/stop_signal.hpp"
#include "packet_bench/compare/compare.hpp"
#include "packet_bench/duet/duet_flags.hpp"
#include "packet_bench/gate/gate.hpp"
#include "packet_bench/power/power.hpp"
#include "packet_bench/run/run.hpp"
#include "packet_bench/run/run_flags.hpp"
#include "packet_bench/search/search.hpp"

#include <fmt/core.h>

namespace slipway::bench {
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

int packet_bench_command_line(int argc, const char* const* argv) {
  CommandLine line("packet_bench", "Drives packets at a fixed rate and says what became of each.");
  line.version(fmt::format("packet_bench {} ({})", build_info().version, build_info().revision));
  line.require_commands(1, 1);
  line.group_help(exit_status_help());
  Flags run = line.add_command("run", "one run, judged");
  const RunFlags run_flags(run);
  run.footer(
      "Examples:\n"
      "  packet_bench run --threshold-tps 10000\n"
      "  packet_bench run --target btp+ws://:TOKEN@host:4000/ --destination g.bob");
  Flags search = line.add_command("search", "the highest rate within --slo-p99, no loss");
  const SearchFlags search_flags(search);
  Flags duet = line.add_command("duet", "candidate against base, in the same seconds");
  const DuetFlags duet_flags(duet);
  Flags compare = line.add_command("compare", "stored results, and steps in a history");
  const CompareFlags compare_flags(compare);
  Flags power = line.add_command("power", "what the duet's verdicts are worth here");
  const PowerCommand power_command(power);
  line.footer("Examples:\n  packet_bench run --duration 10s\n  packet_bench search --slo-p99 10ms");
  if (const auto status = line.parse(argc, argv)) return *status;
  if (search.given()) return perform(search_flags, search_command_line);
  if (duet.given()) return perform(duet_flags, duet_command_line);
  if (compare.given()) return perform(compare_flags, compare_command_line);
  if (power.given()) return power_command.run(StopOnSignal().token());
  return perform(run_flags, run_command_line);
}

}  // namespace slipway::bench
