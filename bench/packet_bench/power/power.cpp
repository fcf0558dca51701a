#include "packet_bench/power/power.hpp"

#include "base/command_line.hpp"
#include "base/random.hpp"
#include "packet_bench/gate/gate.hpp"
#include "packet_bench/report/result_files.hpp"
#include "packet_bench/subject/embedded.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

struct Replayed {
  DuetOutcome outcome;
  double elapsed_s;
};

// The rounds one after the other, until the verdict is clear or the time is over, as duet() does.
Replayed judge_window(const std::vector<const RecordedRound*>& rounds, const ReplayPlan& plan) {
  DuetJudge judge(plan.limits);
  double elapsed = 0;
  unsigned number = 0;
  for (const RecordedRound* round : rounds) {
    if (elapsed + plan.start_s >= plan.max_duration_s) break;
    double within = 0;
    bool clear = false;
    for (Pair pair : *round) {
      pair.round = number;
      within = pair.elapsed_s;
      clear = judge.add(pair);
      if (clear || elapsed + within >= plan.max_duration_s) break;
    }
    elapsed += within;
    ++number;
    if (clear) break;
  }
  return {judge.finish().outcome, elapsed};
}

double middle(std::vector<double> values) {
  return values.empty() ? 0 : median(std::move(values));
}

// How many rounds a window of the longest duration holds, with one to spare.
std::size_t rounds_of_window(const std::vector<RecordedRound>& rounds, const ReplayPlan& plan) {
  double shortest = plan.max_duration_s;
  for (const RecordedRound& round : rounds) {
    shortest = std::min(shortest, round.back().elapsed_s);
  }
  return static_cast<std::size_t>(plan.max_duration_s / std::max(shortest, 0.5)) + 1;
}

PowerCount replay_disjoint(const std::vector<RecordedRound>& rounds, const ReplayPlan& plan) {
  PowerCount count;
  std::vector<double> times;
  const std::size_t length = rounds_of_window(rounds, plan);
  for (std::size_t begin = 0; begin + length <= rounds.size(); begin += length) {
    std::vector<const RecordedRound*> window;
    for (std::size_t i = 0; i < length; ++i) window.push_back(&rounds[begin + i]);
    const Replayed judged = judge_window(window, plan);
    count.add(judged.outcome, judged.elapsed_s, times);
  }
  count.median_s = middle(times);
  return count;
}

PowerCount replay_resampled(const std::vector<RecordedRound>& rounds, const ReplayPlan& plan,
                            std::uint64_t seed) {
  PowerCount count;
  std::vector<double> times;
  const std::size_t length = rounds_of_window(rounds, plan);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::size_t> any(0, rounds.size() - 1);
  for (std::size_t i = 0; i < plan.windows; ++i) {
    std::vector<const RecordedRound*> window;
    for (std::size_t j = 0; j < length; ++j) window.push_back(&rounds[any(random)]);
    const Replayed judged = judge_window(window, plan);
    count.add(judged.outcome, judged.elapsed_s, times);
  }
  count.median_s = middle(times);
  return count;
}

std::string percent(std::size_t part, std::size_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void append_rows(std::string& table, const char* how,
                 const std::map<PowerLevel, PowerCount>& counts) {
  for (const auto& [level, count] : counts) {
    if (count.verdicts == 0) continue;
    table += fmt::format(
        "| {} | {} | {} | {} ({}) | {} | {} | {} | {:.0f} s |\n", how, level.name(), count.verdicts,
        count.regression, percent(count.regression, count.verdicts),
        percent(count.within_30s, count.verdicts), count.pass, count.inconclusive, count.median_s);
  }
}

struct Promise {
  PowerLevel level;
  bool caught;  // at least this share says regression, or else at most
  double share;
  std::string_view text;
};
constexpr double certain = 1;
constexpr std::size_t least_windows = 100;
constexpr std::size_t least_live = 20;
const std::vector<Promise> promises{
    {{0, false}, false, 0.01, "base against itself: at most 1 % say regression"},
    {{0, true}, false, 0.02, "the same beside a CPU hog: at most 2 %"},
    {{3, false}, true, 0.80, "3 % slower: at least 80 % caught within 90 s"},
    {{5, false}, true, 0.95, "5 % slower: at least 95 % caught"},
    {{10, false}, true, certain, "10 % slower: always caught"}};

// Nothing when there are too few verdicts to say.
std::optional<bool> holds(const Promise& promise, const std::map<PowerLevel, PowerCount>& counts,
                          std::size_t least) {
  const auto found = counts.find(promise.level);
  if (found == counts.end() || found->second.verdicts < least) return std::nullopt;
  const double share =
      static_cast<double>(found->second.regression) / static_cast<double>(found->second.verdicts);
  return promise.caught ? share >= promise.share : share <= promise.share;
}

// By the resampled windows and the live verdicts; the disjoint windows are shown, but few.
std::optional<bool> holds(const Promise& promise, const PowerReplay& result) {
  const auto resampled = holds(promise, result.resampled, least_windows);
  const auto live = holds(promise, result.live, least_live);
  if ((resampled && !*resampled) || (live && !*live)) return false;
  if (!resampled || !live) return std::nullopt;
  return true;
}

}  // namespace

void PowerCount::add(DuetOutcome outcome, double elapsed_s, std::vector<double>& times) {
  ++verdicts;
  times.push_back(elapsed_s);
  switch (outcome) {
    case DuetOutcome::regression:
      ++regression;
      if (elapsed_s <= 30) ++within_30s;
      break;
    case DuetOutcome::pass:
    case DuetOutcome::improvement:
      ++pass;
      break;
    case DuetOutcome::inconclusive:
      ++inconclusive;
      break;
  }
}

PowerReplay replay(const Recording& recording, const ReplayPlan& plan) {
  PowerReplay result;
  for (const auto& [level, rounds] : recording.rounds) {
    const std::uint64_t seed =
        plan.seed + static_cast<std::uint64_t>(level.percent) * 2 + (level.hog ? 1 : 0);
    result.disjoint[level] = replay_disjoint(rounds, plan);
    result.resampled[level] = replay_resampled(rounds, plan, seed);
    std::vector<double> shifts;
    for (const RecordedRound& round : rounds) {
      for (const Pair& pair : round) {
        ++result.recorded[level];
        const auto shift = worsening(pair, Metric::cpu);
        if (shift && !is_disturbed(pair, plan.limits)) shifts.push_back(*shift);
      }
    }
    if (!shifts.empty()) result.shift[level] = std::expm1(median(shifts));
  }
  for (const auto& [level, verdicts] : recording.live) {
    std::vector<double> times;
    for (const LiveVerdict& verdict : verdicts) {
      result.live[level].add(verdict.outcome, verdict.elapsed_s, times);
    }
    result.live[level].median_s = middle(times);
  }
  return result;
}

std::string power_table(const PowerReplay& result) {
  std::string table;
  for (const auto& [level, pairs] : result.recorded) {
    const auto shift = result.shift.find(level);
    table +=
        fmt::format("{:>12}: {} pairs recorded, CPU a packet {:+.2f} % in the median\n",
                    level.name(), pairs, shift == result.shift.end() ? 0 : 100 * shift->second);
  }
  table +=
      "\n| verdicts | candidate | number | regression | within 30 s | pass | inconclusive | "
      "median |\n|---|---|---|---|---|---|---|---|\n";
  append_rows(table, "disjoint", result.disjoint);
  append_rows(table, "resampled", result.resampled);
  append_rows(table, "live", result.live);
  table += "\n";
  for (const Promise& promise : promises) {
    const auto held = holds(promise, result);
    table += fmt::format("{} {}\n",
                         !held   ? "not shown:"
                         : *held ? "held:     "
                                 : "NOT HELD: ",
                         promise.text);
  }
  return table + fmt::format("(held: by at least {} resampled windows and {} live verdicts)\n",
                             least_windows, least_live);
}

bool promises_held(const PowerReplay& result) {
  return std::all_of(promises.begin(), promises.end(), [&](const Promise& promise) {
    return holds(promise, result).value_or(false);
  });
}

PowerCommand::PowerCommand(Flags& command)
    : record_(command.add_command(
          "record", "live verdicts and their pairs at every level, interleaved, appended")),
      replay_(command.add_command("replay", "judge windows of what was recorded")),
      service_(record_) {
  command.require_commands(1, 1);
  command.footer(
      "Examples:\n  packet_bench power record --minutes 60\n  packet_bench power replay");
  for (Flags each : {record_, replay_}) {
    each.add("--file", file_, "of the recording, JSON lines").value_name("FILE").show_default();
    each.add("--seed", seed_, "of every random choice [random; replay: 1]").value_name("N");
  }
  Flag connector =
      record_.add("--connector", connector_, "executable [beside this]").value_name("FILE");
  record_.add("--image", image_, "of a service instead, dearer by $TEST_EXTRA_CPU_PERCENT")
      .value_name("IMAGE")
      .excludes(connector);
  record_.add("--rate", rate_, "requests or packets a second, to each")
      .value_name("N")
      .show_default();
  record_.add("--percents", percents_, "how much dearer the candidates are [0,3,5,10, and a hog]")
      .value_name("LIST")
      .separated_by(',')
      .within(0, 1000);
  service_.add();
  record_.add("--minutes", minutes_, "in which verdicts are begun; call again for more")
      .value_name("N")
      .show_default();
  record_.footer(
      "Examples:\n"
      "  packet_bench power record --minutes 60 --file power.jsonl\n"
      "  packet_bench power record --image IMAGE --service slipway.yml --percents 0,5");
  replay_.add("--windows", windows_, "resampled ones, a level").value_name("N").show_default();
  replay_.footer("Examples:\n  packet_bench power replay --file power.jsonl");
}

int PowerCommand::run(std::stop_token stop) const {
  if (!(minutes_ > 0 && minutes_ <= 1440) || windows_ < 1 || windows_ > 100'000) {
    print_error(program, "--minutes or --windows makes no sense; give 1 to 1440, 1 to 100000");
    return static_cast<int>(ExitStatus::usage);
  }
  if (!record_.given()) return replay_file();
  const auto plan = record_plan();
  return plan ? record_power(*plan, stop) : report_error(plan.error());
}

Result<RecordPlan> PowerCommand::record_plan() const {
  RecordPlan plan{.file = file_, .minutes = minutes_, .seed = seed_ != 0 ? seed_ : random_seed()};
  const auto service = service_.checked();
  if (!service) return service.error();
  const bool web = !image_.empty();
  if (const auto useful = service_.check_useful(web, web, web); !useful) return useful.error();
  plan.duet.rate = service_.has_file() && !record_.given("--rate") ? service->gate.rate : rate_;
  if (!percents_.empty()) plan.levels.clear();
  for (const int percent : percents_) plan.levels.push_back({.percent = percent});
  if (!web) {
    const auto connector =
        connector_.empty() ? default_connector() : std::filesystem::path(connector_);
    plan.duet.targets = {connector, connector};
    return plan;
  }
  if (!ServiceFlags::is_web(*service)) {
    return Error{ErrorKind::usage, "nothing says what an image is asked",
                 "give --service, or --path"};
  }
  auto request = service_.request(*service);
  if (!request) return request.error();
  plan.duet.http = std::move(*request);
  plan.duet.connections = static_cast<unsigned>(service->gate.connections);
  plan.duet.targets = {ImageTarget{image_, *service}, ImageTarget{image_, *service}};
  return plan;
}

int PowerCommand::replay_file() const {
  const auto recording = read_recording(file_);
  if (!recording) {
    print_error(program, recording.error().text());
    return static_cast<int>(ExitStatus::usage);
  }
  ReplayPlan plan;
  plan.windows = windows_;
  plan.seed = seed_ != 0 ? seed_ : 1;
  plan.limits.planned_pairs = planned_pairs(DuetOptions{});
  const PowerReplay result = replay(*recording, plan);
  fmt::print("seed {}, windows of up to {:.0f} s\n\n{}", plan.seed, plan.max_duration_s,
             power_table(result));
  return promises_held(result) ? 0 : static_cast<int>(ExitStatus::failed);
}

}  // namespace slipway::bench
