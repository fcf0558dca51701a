#include "packet_bench/duet.hpp"

#include "base/units.hpp"
#include "packet_bench/duet_report.hpp"
#include "packet_bench/duet_round.hpp"
#include "packet_bench/gate.hpp"
#include "packet_bench/machine.hpp"
#include "packet_bench/result_files.hpp"
#include "packet_bench/schedule.hpp"

#include <algorithm>
#include <random>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

double as_seconds(nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

Error refused(std::string_view flag, std::string_view value, std::string_view allowed) {
  return {ErrorKind::usage, fmt::format("{} '{}' makes no sense", flag, value),
          fmt::format("give {}", allowed)};
}

Result<std::filesystem::path> executable(std::string_view flag, const std::string& text) {
  std::error_code ignored;
  if (text.empty()) {
    return Error{ErrorKind::usage, fmt::format("{} is missing", flag),
                 "give the path of a connector executable"};
  }
  if (!std::filesystem::is_regular_file(text, ignored) || ::access(text.c_str(), X_OK) != 0) {
    return Error{ErrorKind::usage, fmt::format("{} '{}' is no executable file", flag, text),
                 "build it, or give another path"};
  }
  return std::filesystem::path(text);
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
  result.begun_at = std::chrono::system_clock::now();
  for (const Side side : {base, candidate}) {
    result.targets[side] = options.executables[side].string();
  }
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
  bool clear = false;
  for (unsigned number = 0; !clear && Clock::now() + options.warmup + options.slice < deadline;
       ++number) {
    const DuetRound round{.executables = options.executables,
                          .extra_cpu_percent = options.extra_cpu_percent,
                          .rate = options.rate,
                          .warmup = options.warmup,
                          .slice = options.slice,
                          .seed = mixed(options.seed + number),
                          .number = number};
    double played = 0;
    const auto outcome = play_round(
        round,
        [&](const Pair& pair) {
          result.pairs.push_back(pair);
          played += pair.seconds;
          if (!clear) {
            clear = judge.add(pair);
            result.elapsed_s = as_seconds(Clock::now() - begin);
          }
          return (!clear || options.whole_rounds) && played < result.round_s &&
                 Clock::now() < deadline;
        },
        stop);
    if (!outcome) return outcome.error();
  }
  result.verdict = judge.finish();
  return result;
}

DuetFlags::DuetFlags(CLI::App& command) {
  command.add_option("--base", base_, "connector executable to compare with")->required();
  command.add_option("--candidate", candidate_, "connector executable to judge")->required();
  command.add_option("--rate", rate_, "packets a second, to each of the two")
      ->capture_default_str();
  command
      .add_option("--max-duration", max_duration_,
                  "it ends earlier when the answer is clear, and inconclusive when it is not")
      ->capture_default_str();
  command
      .add_option("--max-worse", max_worse_,
                  "what decides, and how much worse the candidate may be: metrics of cpu, rate, "
                  "p50, p99, memory, as cpu=2%,p99=30% [cpu=1.5%,rate=1%]")
      ->envname("PACKET_BENCH_MAX_WORSE");
  command.add_option("--round", round_, "before both processes are started anew")
      ->capture_default_str();
  command.add_option("--slice", slice_, "of each pair")->capture_default_str();
  command.add_option("--warmup", warmup_, "of each round, not measured")->capture_default_str();
  command.add_option("--seed", seed_, "of the orders [random]");
  command.add_option("--output", output_, "results file with all pairs, JSON");
  command.add_option("--report", report_, "FILE.html or FILE.md to write as well");
  command.add_flag("--json", json_, "the results on stdout instead of the summary");
  command.add_option("--test-extra-cpu", extra_cpu_, "percent, of the candidate")->group("");
}

Result<DuetOptions> DuetFlags::checked() const {
  DuetOptions options;
  const auto base_file = executable("--base", base_);
  if (!base_file) return base_file.error();
  const auto candidate_file = executable("--candidate", candidate_);
  if (!candidate_file) return candidate_file.error();
  options.executables = {*base_file, *candidate_file};
  if (!(rate_ >= 100 && rate_ <= 1e6)) {
    return refused("--rate", fmt::format("{}", rate_), "100 to 1000000 packets a second");
  }
  options.rate = rate_;
  const struct {
    const char* flag;
    const std::string& text;
    nanoseconds& into;
    nanoseconds least;
    nanoseconds most;
  } durations[] = {{"--max-duration", max_duration_, options.max_duration, 5s, 24h},
                   {"--warmup", warmup_, options.warmup, 0ns, 1min},
                   {"--slice", slice_, options.slice, 50ms, 1min},
                   {"--round", round_, options.round, 500ms, 1h}};
  for (const auto& [flag, text, into, least, most] : durations) {
    const auto duration = parse_duration(text);
    if (!duration || *duration < least || *duration > most) {
      return refused(flag, text,
                     fmt::format("{} to {}", format_duration(least), format_duration(most)));
    }
    into = *duration;
  }
  if (!max_worse_.empty()) {
    const auto applied = apply_max_worse(max_worse_, options.limits);
    if (!applied) return applied.error();
  }
  if (extra_cpu_ < 0 || extra_cpu_ > 1000) {
    return refused("--test-extra-cpu", std::to_string(extra_cpu_), "0 to 1000");
  }
  options.extra_cpu_percent[candidate] = extra_cpu_;
  if (!report_.empty() && !report_.ends_with(".md") && !report_.ends_with(".html")) {
    return refused("--report", report_, "a file name that ends in .html or .md");
  }
  std::random_device device;
  options.seed = seed_ != 0 ? seed_ : std::uint64_t{device()} << 32 | device() | 1;
  options.output = output_;
  options.report = report_;
  options.json = json_;
  return options;
}

int duet_command_line(const DuetOptions& options, std::stop_token stop) {
  for (const auto& file : {options.output, options.report}) {
    const auto writable = check_writable(file);
    if (!writable) return report_error(writable.error());
  }
  const auto result = duet(options, stop);
  if (!result) return report_error(result.error());
  const std::string json = duet_json(*result);
  fmt::print("{}", options.json ? json : duet_summary(*result));
  const bool html = options.report.extension() == ".html";
  if (!write_or_complain(options.output, json) ||
      !write_or_complain(options.report, html ? duet_html(*result) : duet_markdown(*result))) {
    return static_cast<int>(ExitStatus::inconclusive);
  }
  return result->verdict.exit_status();
}

}  // namespace slipway::bench
