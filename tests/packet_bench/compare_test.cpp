#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "packet_bench/report/result_json.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <cmath>
#include <random>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::bench;
using slipway::test::TemporaryDirectory;

namespace {

// benchmark-results.json as `run` writes it.
Json stored_run(double cpu, int second = 0) {
  RunResult result;
  result.begun_at = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000)) +
                    std::chrono::seconds(second);
  result.window_s = 10;
  result.rate = 10'000;
  result.packets.planned = 100'000;
  result.packets.fulfilled = 100'000;
  result.latency.p50_ms = 0.5;
  result.latency.p99_ms = 2;
  result.cost.cpu_percent = 10;
  result.cost.cpu_us_per_packet = cpu;
  result.cost.memory_mb = 12;
  result.context.cpu_model = "Model A";
  result.context.cpus = 2;
  return parse_json(to_json(result, judge(result, {}), {}));
}

Json google(double factor, int repetitions) {
  Json json = {{"context",
                {{"date", "2026-11-24T10:00:00+00:00"},
                 {"host_name", "here"},
                 {"num_cpus", 2},
                 {"mhz_per_cpu", 2000}}},
               {"benchmarks", Json::array()}};
  for (int i = 0; i < repetitions; ++i) {
    json["benchmarks"].push_back({{"name", "decode"},
                                  {"run_type", "iteration"},
                                  {"cpu_time", factor * (100 + (i * 7) % 5 * 0.1)},
                                  {"time_unit", "ns"}});
  }
  json["benchmarks"].push_back(
      {{"name", "decode_mean"}, {"run_type", "aggregate"}, {"cpu_time", 1e9}});
  return json;
}

class Folder {
 public:
  std::string add(const std::string& name, const std::string& content) {
    const auto file = folder_.path() / name;
    std::filesystem::create_directories(file.parent_path());
    REQUIRE(write_durably(file, content).has_value());
    return file.string();
  }
  std::string path(const std::string& name = "") const { return (folder_.path() / name).string(); }

 private:
  TemporaryDirectory folder_;
};

CommandOutput compared(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {PACKET_BENCH, "compare"});
  const auto output = run_command({.argv = std::move(arguments)});
  REQUIRE(output.has_value());
  return *output;
}

// Two folders of runs, measured in turns.
void add_runs(Folder& folder, double factor, int count) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> noise(0, 0.01);
  for (int i = 0; i < count; ++i) {
    folder.add(fmt::format("base/{}.json", i),
               to_text(stored_run(10 * std::exp(noise(random)), 2 * i)));
    folder.add(fmt::format("new/{}.json", i),
               to_text(stored_run(10 * factor * std::exp(noise(random)), 2 * i + 1)));
  }
}

std::string history_of(Folder& folder, std::uint64_t seed, int at, double step) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(0, 0.02);
  const std::string name = fmt::format("history-{}-{}", seed, at);
  for (int i = 0; i < 50; ++i) {
    const double cpu = 10 * std::exp(noise(random)) * (i >= at ? step : 1);
    folder.add(fmt::format("{}/{:02}.json", name, i), to_text(stored_run(cpu, i)));
  }
  return folder.path(name);
}

}  // namespace

TEST_CASE("Nonsense is refused with status 2 or 4 and a sentence, and never passes", "[compare]") {
  Folder folder;
  const std::string good = to_text(stored_run(10));
  const std::string good_file = folder.add("good.json", good);
  auto other_schema = stored_run(10);
  other_schema["schemaVersion"] = 999;
  auto without_schema = stored_run(10);
  without_schema.erase("schemaVersion");
  auto negative = stored_run(10);
  negative["p50LatencyMs"] = -1;
  auto zero = stored_run(10);
  zero["tps"] = 0;
  auto textual = stored_run(10);
  textual["p99LatencyMs"] = "NaN";
  auto missing = stored_run(10);
  missing["details"].erase("targetCost");
  std::string bare_nan = good;
  const std::size_t at = bare_nan.find("\"tps\":") + 6;
  bare_nan.replace(at, bare_nan.find(',', at) - at, "NaN");
  std::string huge = good;
  huge.replace(at, huge.find(',', at) - at, "1e999");
  const std::vector<std::pair<std::string, std::string>> nonsense{
      {"empty", ""},
      {"blank", " \n"},
      {"text", "faster than ever"},
      {"array", "[]"},
      {"object", "{}"},
      {"cut off", good.substr(0, good.size() / 2)},
      {"cut off by one", good.substr(0, good.size() - 2)},
      {"other schema", to_text(other_schema)},
      {"no schema", to_text(without_schema)},
      {"negative", to_text(negative)},
      {"zero", to_text(zero)},
      {"NaN as text", to_text(textual)},
      {"NaN", bare_nan},
      {"infinite", huge},
      {"missing figures", to_text(missing)},
      {"no benchmarks", R"({"context":{},"benchmarks":[]})"},
      {"binary", std::string("\x00\xff\x7f{", 4)}};
  for (const auto& [name, content] : nonsense) {
    const std::string bad_file = folder.add("bad.json", content);
    for (const auto& arguments :
         {std::vector{good_file, bad_file}, {bad_file, good_file}, {bad_file, bad_file}}) {
      const auto output = compared(arguments);
      INFO(name << ": " << output.out << output.err);
      CHECK((output.exit_status == 2 || output.exit_status == 4));
      CHECK(output.err.find("cannot be compared") != std::string::npos);
    }
  }
  for (const auto& arguments : {std::vector<std::string>{},
                                {good_file},
                                {good_file, folder.path("absent.json")},
                                {"--history", folder.path("absent")},
                                {good_file, good_file, "--max-worse", "nan%"},
                                {good_file, good_file, "--despite", "everything"}}) {
    const auto output = compared(arguments);
    CHECK(output.exit_status == 2);
    CHECK_FALSE(output.err.empty());
  }
}

TEST_CASE("One pair of results is inconclusive whatever they say", "[compare]") {
  Folder folder;
  const std::string one = folder.add("a.json", to_text(stored_run(10)));
  for (const double cpu : {5.0, 10.0, 10.4, 30.0}) {
    const auto output = compared({one, folder.add("b.json", to_text(stored_run(cpu)))});
    CHECK(output.exit_status == 4);
    CHECK(output.out.find("1 pair of results, and at least") != std::string::npos);
    CHECK(output.out.find("this is weak") != std::string::npos);
  }
}

TEST_CASE("Results of other machines, rates and kinds are refused unless told", "[compare]") {
  Folder folder;
  const std::string one = folder.add("a.json", to_text(stored_run(10)));
  auto other = stored_run(10);
  other["details"]["context"]["cpuModel"] = "Model B";
  const std::string machine = folder.add("machine.json", to_text(other));
  auto slow = stored_run(10);
  slow["details"]["rate"] = 5000;
  const std::string rate = folder.add("rate.json", to_text(slow));
  CHECK(compared({one, machine}).exit_status == 2);
  CHECK(compared({one, machine}).err.find("--despite machine") != std::string::npos);
  CHECK(compared({one, machine, "--despite", "machine"}).exit_status == 4);
  CHECK(compared({one, rate}).exit_status == 2);
  CHECK(compared({one, rate, "--despite", "rate"}).exit_status == 4);
  CHECK(compared({one, folder.add("google.json", to_text(google(1, 20)))}).exit_status == 2);
}

TEST_CASE("Runs of --rate max are of one rate, and of another than those with a number",
          "[compare]") {
  Folder folder;
  RunResult fast;
  fast.closed_loop = true;
  auto max = stored_run(10);
  max["details"]["rate"] = parse_json(to_json(fast, judge(fast, {}), {}))["details"]["rate"];
  const std::string one = folder.add("max.json", to_text(max));
  CHECK(compared({one, folder.add("max2.json", to_text(max))}).exit_status == 4);
  const auto mixed = compared({one, folder.add("paced.json", to_text(stored_run(10)))});
  CHECK(mixed.exit_status == 2);
  CHECK(mixed.err.find("different rates (max and 10000)") != std::string::npos);
}

TEST_CASE("Twelve runs of each in turns tell a 10 % slowdown from none", "[compare]") {
  Folder same;
  add_runs(same, 1, 12);
  CHECK(compared({same.path("base"), same.path("new")}).exit_status == 0);
  Folder slower;
  add_runs(slower, 1.10, 12);
  const auto output = compared({slower.path("base"), slower.path("new")});
  CHECK(output.exit_status == 1);
  CHECK((output.out.find("| cpu | +9.") != std::string::npos ||
         output.out.find("| cpu | +10.") != std::string::npos));
}

TEST_CASE("Google Benchmark's repetitions are compared with the same statistics", "[compare]") {
  Folder folder;
  const std::string head = folder.add("base.json", to_text(google(1, 12)));
  CHECK(compared({head, folder.add("same.json", to_text(google(1.001, 12)))}).exit_status == 0);
  CHECK(compared({head, folder.add("slow.json", to_text(google(1.08, 12)))}).exit_status == 1);
  CHECK(compared({head, folder.add("fast.json", to_text(google(0.9, 12)))}).exit_status == 0);
  CHECK(compared({head, folder.add("few.json", to_text(google(1.08, 3)))}).exit_status == 4);
}

TEST_CASE("Instruction counts are exact: one of each is enough", "[compare]") {
  const auto counts = [](double instructions) {
    auto json = google(1, 1);
    json["benchmarks"].erase(1);
    json["benchmarks"][0]["instructions"] = instructions;
    return to_text(json);
  };
  Folder folder;
  const std::string one = folder.add("base.json", counts(1000));
  CHECK(compared({one, folder.add("same.json", counts(1000))}).exit_status == 0);
  CHECK(compared({one, folder.add("more.json", counts(1020)), "--max-worse", "1%"}).exit_status ==
        1);
  CHECK(compared({one, folder.add("some.json", counts(1020)), "--max-worse", "3%"}).exit_status ==
        0);
}

TEST_CASE("What is counted in some results and measured in others passes nothing", "[compare]") {
  Folder folder;
  Json counted = google(1, 1);
  counted["benchmarks"][0]["instructions"] = 1000;
  counted["benchmarks"].erase(1);
  Json measured = google(1, 1);
  measured["benchmarks"].erase(1);
  for (Json* json : {&counted, &measured}) {
    (*json)["benchmarks"].push_back({{"name", "other"}, {"instructions", 5}, {"cpu_time", 1}});
  }
  const auto run = compared(
      {folder.add("base.json", to_text(counted)), folder.add("new.json", to_text(measured))});
  INFO(run.out << run.err);
  CHECK(run.exit_status == 4);
  CHECK_THAT(run.out, ContainsSubstring("counted exactly in some results, measured in others"));
}

TEST_CASE("Values without a counterpart are told of", "[compare]") {
  Folder folder;
  const auto run = compared({folder.add("base.json", to_text(google(1, 12))),
                             folder.add("new.json", to_text(google(1, 20)))});
  INFO(run.out << run.err);
  CHECK(run.exit_status == 0);
  CHECK_THAT(run.out, ContainsSubstring("the last 8 of"));
}

TEST_CASE("A step in a folder of results is named with its file, and no step is no alarm",
          "[compare]") {
  Folder folder;
  const auto output = compared({"--history", history_of(folder, 3, 30, 1.08)});
  INFO(output.out << output.err);
  CHECK(output.exit_status == 1);
  bool near = false;
  for (int at = 27; at <= 33; ++at) {
    near = near || output.out.find(fmt::format("from {:02}.json", at)) != std::string::npos;
  }
  CHECK(near);
  CHECK(compared({"--history", history_of(folder, 4, 50, 1)}).exit_status == 0);
  for (int i = 0; i < 5; ++i) {
    folder.add(fmt::format("short/{}.json", i), to_text(stored_run(10, i)));
  }
  CHECK(compared({"--history", folder.path("short")}).exit_status == 2);
}

TEST_CASE("Times of Google Benchmark are compared in the same unit, and by the clock that it names",
          "[compare]") {
  Folder folder;
  const auto file = [&](const char* name, double time, const char* unit, double real) {
    Json json = google(1, 0);
    for (int i = 0; i < 12; ++i) {
      const double factor = 1 + (i * 7) % 5 * 1e-3;
      json["benchmarks"].push_back(
          {{"name", "a"}, {"cpu_time", time * factor}, {"time_unit", unit}});
      json["benchmarks"].push_back({{"name", "b/real_time"},
                                    {"cpu_time", 1.0},
                                    {"real_time", real * factor},
                                    {"time_unit", unit}});
    }
    return folder.add(name, to_text(json));
  };
  const auto base = file("base.json", 1500, "ns", 3000);
  const auto same = compared({base, file("same.json", 1.5, "us", 3)});
  INFO(same.out << same.err);
  CHECK(same.exit_status == 0);
  const auto slower = compared({base, file("slower.json", 1.5, "us", 4)});
  INFO(slower.out << slower.err);
  CHECK(slower.exit_status == 1);
  CHECK_THAT(slower.out, ContainsSubstring("| b/real_time | +33.33 %"));
  CHECK(compared({base, file("unit.json", 1.5, "h", 3)}).exit_status == 2);
}

TEST_CASE("What one side lacks is named, and nothing passes by it", "[compare]") {
  Folder folder;
  Json both = google(1, 12);
  for (int i = 0; i < 12; ++i) both["benchmarks"].push_back({{"name", "gone"}, {"cpu_time", 5}});
  const auto base = folder.add("base.json", to_text(both));
  const auto lacking = folder.add("new.json", to_text(google(1, 12)));
  for (const auto& run : {compared({base, lacking}), compared({lacking, base})}) {
    INFO(run.out << run.err);
    CHECK(run.exit_status == 4);
    CHECK_THAT(run.out, ContainsSubstring("new.json has no gone"));
  }
  add_runs(folder, 1, 12);
  Json blind = stored_run(10, 99);
  blind["details"]["targetCost"]["cpuUsPerPacket"] = nullptr;
  blind["p99LatencyMs"] = nullptr;
  folder.add("new/11.json", to_text(blind));
  const auto run = compared({folder.path("base"), folder.path("new")});
  INFO(run.out << run.err);
  CHECK(run.exit_status == 4);
  CHECK_THAT(run.out, ContainsSubstring("11.json has no cpu"));
  CHECK_THAT(run.out, ContainsSubstring("11.json has no p99"));
}

TEST_CASE("Results that failed or are not to be trusted pass nothing, and are named", "[compare]") {
  Folder folder;
  add_runs(folder, 1, 12);
  const bool failed = GENERATE(false, true);
  Json bad = stored_run(10, 99);
  bad["passed"] = !failed;
  bad["details"]["outcome"] = failed ? "failed" : "passed";
  bad["details"]["latencyTrusted"] = failed;
  folder.add("new/11.json", to_text(bad));
  const auto run = compared({folder.path("base"), folder.path("new")});
  INFO(run.out << run.err);
  CHECK(run.exit_status == 4);
  CHECK_THAT(run.out, ContainsSubstring(failed ? "11.json was failed" : "11.json is not to be"));
}

TEST_CASE("Results of other targets or connections are refused unless told", "[compare]") {
  Folder folder;
  const auto base = folder.add("base.json", to_text(stored_run(10)));
  for (const char* const what : {"target", "connections"}) {
    Json other = stored_run(10);
    other["details"][what] = what == std::string("target") ? Json("http://b/") : Json(7);
    const auto file = folder.add("other.json", to_text(other));
    const auto run = compared({base, file});
    INFO(run.err);
    CHECK(run.exit_status == 2);
    CHECK_THAT(run.err, ContainsSubstring("are of different targets"));
    CHECK(compared({base, file, "--despite", "target"}).exit_status == 4);
  }
}

TEST_CASE("A history is in the order of time, whatever the offset from UTC that it is written with",
          "[compare]") {
  Folder folder;
  for (int i = 0; i < 40; ++i) {
    // Hour by hour; from the twentieth on five hours west of UTC, where clocks show less.
    const int hour = i < 20 ? i : i - 5;
    Json json = google(i < 20 ? 1 : 1.5, 1);
    json["context"]["date"] = fmt::format("2026-11-{:02}T{:02}:00:00{}", 24 + hour / 24, hour % 24,
                                          i < 20 ? "+00:00" : "-05:00");
    folder.add(fmt::format("history/{:02}.json", (i * 7) % 40), to_text(json));
  }
  const auto run = compared({"--history", folder.path("history")});
  INFO(run.out << run.err);
  CHECK(run.exit_status == 1);
  CHECK_THAT(run.out, ContainsSubstring("1 step in 40 results"));
  CHECK_THAT(run.out, ContainsSubstring("(2026-11-24T15:00:00-05:00)"));
  Json timeless = google(1, 1);
  timeless["context"]["date"] = "yesterday";
  const auto file = folder.add("timeless.json", to_text(timeless));
  CHECK(compared({file, file}).exit_status == 2);
}
