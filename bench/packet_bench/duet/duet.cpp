#include "packet_bench/duet/duet.hpp"

#include "base/output_file.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/duet/duet_progress.hpp"
#include "packet_bench/duet/duet_report.hpp"
#include "packet_bench/duet/duet_round.hpp"
#include "packet_bench/gate/gate.hpp"
#include "packet_bench/report/live_line.hpp"
#include "packet_bench/report/result_files.hpp"
#include "packet_bench/subject/machine.hpp"
#include "packet_bench/subject/own_container.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using std::chrono::nanoseconds;

double as_seconds(nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

std::vector<std::string> notes_on(const std::array<DuetTarget, 2>& targets) {
  std::vector<std::string> notes;
  std::string fixed;
  for (const Side side : {base, candidate}) {
    if (std::holds_alternative<RunningTarget>(targets[side])) {
      notes.push_back(fmt::format(
          "the {} runs and is not started anew: rounds are only blocks of time, and how its memory "
          "happens to lie is part of the difference",
          side_names[side]));
    }
    if (!is_movable(targets[side])) {
      fixed += fmt::format("{}--{}-pid", fixed.empty() ? "" : " and ", side_names[side]);
    }
  }
  if (!fixed.empty()) {
    notes.push_back(fmt::format(
        "neither got priority or changed processors, for which {} would be needed", fixed));
  }
  return notes;
}

// What of a side's packets came to nothing, and what became of its connections; nothing to say
// where all was well.
void add_notes_on_losses(const std::array<SideTotals, 2>& totals, std::vector<std::string>& notes) {
  for (const Side side : {base, candidate}) {
    const PacketCounts& packets = totals[side].packets;
    const std::string losses = losses_text(packets);
    if (!losses.empty()) {
      notes.push_back(
          fmt::format("of {} to the {}: {}", packets.planned, side_names[side], losses));
    }
    if (totals[side].disconnects > 0) {
      notes.push_back(fmt::format("connections to the {} were lost {} times, and opened again: {}",
                                  side_names[side], totals[side].disconnects,
                                  totals[side].last_disconnect));
    }
  }
}

// Replaces the names of images by what the engine has under them now.
Result<void> find_images(std::array<DuetTarget, 2>& targets, DuetResult& result,
                         const std::stop_token& stop) {
  for (const Side side : {base, candidate}) {
    auto* const image = std::get_if<ImageTarget>(&targets[side]);
    if (image == nullptr) continue;
    auto found = find_image(image->reference, stop);
    if (!found) return of_side(side, found.error());
    image->id = std::move(found->id);
    if (side == candidate) result.commit = std::move(found->revision);
  }
  return {};
}

}  // namespace

std::size_t planned_pairs(const DuetOptions& options) {
  const double rounds =
      as_seconds(options.max_duration) / as_seconds(options.round + options.warmup);
  const double pairs = rounds * as_seconds(options.round) / as_seconds(options.slice);
  return std::max(options.limits.first_look, static_cast<std::size_t>(pairs));
}

Result<DuetResult> duet(const DuetOptions& options, std::stop_token stop) {
  DuetResult result;
  std::array<DuetTarget, 2> targets = options.targets;
  result.begun_at = std::chrono::system_clock::now();
  if (const auto found = find_images(targets, result, stop); !found) return found.error();
  for (const Side side : {base, candidate}) result.targets[side] = text_of(targets[side]);
  result.notes = notes_on(targets);
  result.rate = options.rate;
  result.slice_s = as_seconds(options.slice);
  result.round_s = as_seconds(options.round);
  result.max_duration_s = as_seconds(options.max_duration);
  result.seed = options.seed;
  result.limits = options.limits;
  result.context = machine_context();
  result.limits.planned_pairs = planned_pairs(options);
  DuetJudge judge(result.limits);
  const TimePoint begin = Clock::now();
  const TimePoint deadline = begin + options.max_duration;
  DuetProgress progress(deadline, result.limits.first_look);
  const LiveLine line([&progress] { return progress.text(Clock::now()); });
  bool clear = false;
  RoundOutcome sum;
  for (unsigned number = 0; !clear && Clock::now() + options.warmup + options.slice < deadline;
       ++number) {
    const DuetRound round{.targets = targets,
                          .extra_cpu_percent = options.extra_cpu_percent,
                          .rate = options.rate,
                          .connections = options.connections,
                          .http = options.http,
                          .warmup = options.warmup,
                          .slice = options.slice,
                          .seed = mixed(options.seed + number),
                          .tls = options.tls,
                          .number = number};
    double played = 0;
    const auto outcome = play_round(
        round,
        [&](const Pair& pair) {
          result.pairs.push_back(pair);
          played += pair.seconds;
          if (!clear) {
            clear = judge.add(pair);
            progress.note(judge.verdict());
            result.elapsed_s = as_seconds(Clock::now() - begin);
          }
          return (!clear || options.whole_rounds) && played < result.round_s &&
                 Clock::now() < deadline;
        },
        stop);
    if (!outcome) return outcome.error();
    sum.refused = outcome->refused;
    for (const Side side : {base, candidate}) sum.totals[side].add(outcome->totals[side]);
  }
  if (!sum.refused.empty()) result.notes.push_back(sum.refused);
  add_notes_on_losses(sum.totals, result.notes);
  if (std::string said = shortfall(result.pairs, result.rate, result.limits); !said.empty()) {
    result.notes.push_back(std::move(said));
  }
  result.verdict = judge.finish();
  return result;
}

int duet_command_line(const DuetOptions& options, std::stop_token stop) {
  for (const auto& file : {options.output, options.report}) {
    const auto writable = check_writable(file);
    if (!writable) return report_error(writable.error());
  }
  const auto result = duet(options, stop);
  if (!result) return report_error(result.error());
  const std::string json = duet_json(*result);
  const bool html = options.report.extension() == ".html";
  const bool written =
      write_all({{options.output, json},
                 {options.report, html ? duet_html(*result) : duet_markdown(*result)}});
  const bool printed = print_or_complain(options.json ? json : duet_summary(*result));
  if (!written || !printed) return static_cast<int>(ExitStatus::inconclusive);
  return result->verdict.exit_status();
}

}  // namespace slipway::bench
