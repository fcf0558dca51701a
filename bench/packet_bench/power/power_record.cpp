#include "packet_bench/power/power_record.hpp"

#include "base/command_line.hpp"
#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "base/units.hpp"
#include "packet_bench/gate/gate.hpp"
#include "packet_bench/report/result_files.hpp"
#include "packet_bench/subject/embedded.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr int recording_schema = 1;
constexpr double hog_mean_s = 2;

double seconds_since(TimePoint begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Takes a processor and gives it back, for times drawn at random with a mean of two seconds each.
class Hog {
 public:
  explicit Hog(std::uint64_t seed)
      : thread_([this, seed](const std::stop_token& stop) { work(seed, stop); }) {}

 private:
  void work(std::uint64_t seed, const std::stop_token& stop) {
    std::mt19937_64 random(seed);
    std::exponential_distribution<double> length(1 / hog_mean_s);
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    bool on = (random() & 1) != 0;
    while (!stop.stop_requested()) {
      const TimePoint until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                 std::chrono::duration<double>(length(random)));
      if (on) {
        while (Clock::now() < until && !stop.stop_requested()) {
        }
      } else {
        changed.wait_until(lock, stop, until, [] { return false; });
      }
      on = !on;
    }
  }

  std::jthread thread_;
};

Json line_of(const char* kind, const PowerLevel& level, const DuetResult& result) {
  return {{"kind", kind},
          {"schemaVersion", recording_schema},
          {"at", format_utc(result.begun_at)},
          {"cpuModel", result.context.cpu_model},
          {"loadAverage", result.context.load_average},
          {"extraCpuPercent", level.percent},
          {"hog", level.hog},
          {"seed", result.seed}};
}

// The verdict and each of its rounds as lines, in one write.
bool append_result(const std::string& file, const PowerLevel& level, const DuetResult& result) {
  Json verdict = line_of("verdict", level, result);
  verdict["outcome"] = to_string(result.verdict.outcome);
  verdict["elapsedS"] = result.elapsed_s;
  verdict["usedPairs"] = result.verdict.pairs;
  verdict["leftOut"] = result.verdict.left_out;
  verdict["reasons"] = result.verdict.reasons;
  std::string lines = to_text(verdict) + '\n';
  for (std::size_t begin = 0; begin < result.pairs.size();) {
    Json round = line_of("round", level, result);
    round["pairs"] = Json::array();
    std::size_t end = begin;
    for (; end < result.pairs.size() && result.pairs[end].round == result.pairs[begin].round;
         ++end) {
      round["pairs"].push_back(to_json(result.pairs[end]));
    }
    lines += to_text(round) + '\n';
    begin = end;
  }
  std::ofstream out(file, std::ios::app);
  out << lines;
  out.flush();
  if (!out) print_error(program, fmt::format("cannot write {}", file));
  return static_cast<bool>(out);
}

// Every level once, in an order drawn anew.
std::vector<PowerLevel> shuffled(std::vector<PowerLevel> levels, std::mt19937_64& random) {
  std::shuffle(levels.begin(), levels.end(), random);
  return levels;
}

Result<RecordedRound> read_round(const Json& line) {
  const auto pairs = line.find("pairs");
  if (pairs == line.end() || !pairs->is_array() || pairs->empty()) {
    return Error{ErrorKind::corrupt, "a round has no pairs", {}};
  }
  RecordedRound round;
  for (const Json& entry : *pairs) {
    auto pair = pair_from_json(entry);
    if (!pair) return pair.error();
    round.push_back(*pair);
  }
  return round;
}

Result<void> read_line(const std::string& text, Recording& recording) {
  const Json line = parse_json(text);
  if (!line.is_object()) return Error{ErrorKind::corrupt, "it is no JSON object", {}};
  try {
    if (line.at("schemaVersion").get<int>() != recording_schema) {
      return Error{ErrorKind::corrupt, "its schemaVersion is not 1", {}};
    }
    const PowerLevel level{line.at("extraCpuPercent").get<int>(), line.at("hog").get<bool>()};
    if (line.at("kind") == "verdict") {
      const std::string name = line.at("outcome");
      for (const DuetOutcome outcome : {DuetOutcome::pass, DuetOutcome::regression,
                                        DuetOutcome::improvement, DuetOutcome::inconclusive}) {
        if (to_string(outcome) != name) continue;
        recording.live[level].push_back({outcome, line.at("elapsedS").get<double>()});
      }
      return {};
    }
    auto round = read_round(line);
    if (!round) return round.error();
    recording.rounds[level].push_back(std::move(*round));
  } catch (const Json::exception& error) {
    return Error{ErrorKind::corrupt, error.what(), {}};
  }
  return {};
}

}  // namespace

std::string PowerLevel::name() const {
  return fmt::format("{} %{}", percent, hog ? " + hog" : "");
}

Result<Recording> read_recording(const std::filesystem::path& file) {
  const auto content = read_file(file, std::size_t{1} << 30);
  if (!content) return content.error();
  Recording recording;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < content->size();) {
    const std::size_t end = std::min(content->find('\n', begin), content->size());
    ++number;
    const auto read = read_line(content->substr(begin, end - begin), recording);
    if (!read) {
      return Error{ErrorKind::corrupt,
                   fmt::format("{}:{}: {}", file.string(), number, read.error().what),
                   "record it anew, or take the line out"};
    }
    begin = end + 1;
  }
  if (recording.rounds.empty() && recording.live.empty()) {
    return Error{ErrorKind::corrupt, file.string() + " holds no rounds", "record some first"};
  }
  return recording;
}

int record_power(const RecordPlan& plan, const std::stop_token& stop) {
  std::mt19937_64 random(plan.seed);
  const TimePoint begin = Clock::now();
  fmt::print("recording to {} with seed {}\n", plan.file.string(), plan.seed);
  while (seconds_since(begin) < plan.minutes * 60) {
    for (const PowerLevel& level : shuffled(plan.levels, random)) {
      if (seconds_since(begin) > plan.minutes * 60) break;
      std::optional<Hog> hog;
      if (level.hog) hog.emplace(random());
      DuetOptions options = plan.duet;
      options.extra_cpu_percent = {0, level.percent};
      options.seed = random();
      // A round that ends because of what was seen in it would not be a fair sample.
      options.whole_rounds = true;
      const auto result = duet(options, stop);
      if (!result) return report_error(result.error());
      if (!append_result(plan.file, level, *result)) return static_cast<int>(ExitStatus::target);
      fmt::print("{:>12}: {} after {:.0f} s\n", level.name(), to_string(result->verdict.outcome),
                 result->elapsed_s);
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace slipway::bench
