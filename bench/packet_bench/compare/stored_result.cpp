#include "packet_bench/compare/stored_result.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "base/json.hpp"
#include "packet_bench/report/result_json.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <tuple>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

// Thrown within this file only: what is wrong with the content.
struct BadContent {
  std::string what;
};

const Json& member(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) throw BadContent{fmt::format("it has no '{}'", name)};
  return *found;
}

double positive(const Json& json, const std::string& name) {
  const double value = json.is_number() ? json.get<double>() : std::nan("");
  if (!std::isfinite(value) || value <= 0) {
    throw BadContent{fmt::format("its {} is {}, which is no positive number", name, to_text(json))};
  }
  return value;
}

std::string text(const Json& json, const char* name) {
  const Json& value = member(json, name);
  if (!value.is_string()) throw BadContent{fmt::format("its '{}' is no text", name)};
  return value.get<std::string>();
}

// Of "2026-11-24T10:00:00.123Z" or with an offset, as "+01:00"; nothing for what is no time.
std::optional<std::chrono::system_clock::time_point> time_of(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  double second = 0;
  int read = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%lf%n", &year, &month, &day, &hour, &minute,
                  &second, &read) != 6) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  const std::string zone = text.substr(static_cast<std::size_t>(read));
  int offset_hours = 0;
  int offset_minutes = 0;
  char sign = '+';
  const bool offset =
      std::sscanf(zone.c_str(), "%c%2d:%2d", &sign, &offset_hours, &offset_minutes) == 3 &&
      zone.size() == 6 && (sign == '+' || sign == '-');
  if (!date.ok() || (!offset && zone != "Z")) return std::nullopt;
  const int east = (sign == '-' ? -1 : 1) * (60 * offset_hours + offset_minutes);
  return std::chrono::sys_days(date) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - east) + std::chrono::milliseconds(std::lround(second * 1e3));
}

void enter_time(const Json& json, const char* name, StoredResult& result) {
  result.timestamp = text(json, name);
  const auto time = time_of(result.timestamp);
  if (!time) {
    throw BadContent{fmt::format("its {} '{}' is no time with an offset from UTC", name,
                                 foreign_line(result.timestamp, 40))};
  }
  result.time = *time;
}

std::string doubt_of(const Json& json, const Json& details) {
  if (member(json, "passed") != true) {
    return fmt::format("was {}", text(details, "outcome"));
  }
  if (member(details, "latencyTrusted") != true) return "is not to be trusted in its latencies";
  return {};
}

void read_run(const Json& json, StoredResult& result) {
  const Json& version = member(json, "schemaVersion");
  if (version != schema_version) {
    throw BadContent{fmt::format("its schemaVersion is {}, and this packet_bench reads {}",
                                 to_text(version), schema_version)};
  }
  result.kind = StoredKind::run;
  enter_time(json, "timestamp", result);
  const Json& details = member(json, "details");
  const Json& context = member(details, "context");
  result.machine =
      fmt::format("{} x {}", to_text(member(context, "cpus")), text(context, "cpuModel"));
  const Json& rate = member(details, "rate");
  result.rate = rate == "max" ? "max" : fmt::format("{}", positive(rate, "rate"));
  const auto enter = [&](const char* metric, double value) {
    result.metrics[metric].values = {value};
  };
  enter("rate", 1 / positive(member(json, "tps"), "tps"));
  // Null where there were too few answers, or the target's process could not be seen.
  const auto enter_if_known = [&](const char* metric, const Json& in, const char* name) {
    const Json& value = member(in, name);
    if (!value.is_null()) enter(metric, positive(value, name));
  };
  enter_if_known("p50", json, "p50LatencyMs");
  enter_if_known("p99", json, "p99LatencyMs");
  enter_if_known("cpu", member(details, "targetCost"), "cpuUsPerPacket");
  enter_if_known("memory", json, "memoryUsageMb");
  result.target = fmt::format("{} over {} connections", text(details, "target"),
                              to_text(member(details, "connections")));
  result.doubt = doubt_of(json, details);
}

double nanoseconds_of(const Json& entry) {
  const std::string unit = entry.value("time_unit", "ns");
  for (const auto& [name, factor] :
       {std::pair{"ns", 1.0}, std::pair{"us", 1e3}, std::pair{"ms", 1e6}, std::pair{"s", 1e9}}) {
    if (unit == name) return factor;
  }
  throw BadContent{fmt::format("its time_unit '{}' is not known", foreign_line(unit, 20))};
}

// Of what a benchmark measured it asked for one itself, by its name.
const char* time_member(const std::string& name) {
  for (const char* const other : {"/real_time", "/manual_time"}) {
    if (name.find(other) != std::string::npos) return "real_time";
  }
  return "cpu_time";
}

void read_google(const Json& json, StoredResult& result) {
  result.kind = StoredKind::google_benchmark;
  const Json& context = member(json, "context");
  enter_time(context, "date", result);
  result.machine = fmt::format("{} x {} at {} MHz", to_text(member(context, "num_cpus")),
                               text(context, "host_name"), to_text(member(context, "mhz_per_cpu")));
  for (const Json& entry : member(json, "benchmarks")) {
    if (entry.value("run_type", "iteration") != "iteration") continue;
    const std::string name = text(entry, "name");
    if (entry.contains("error_occurred")) throw BadContent{name + " failed when it was measured"};
    StoredMetric& metric = result.metrics[name];
    const auto instructions = entry.find("instructions");
    metric.exact = instructions != entry.end();
    metric.values.push_back(metric.exact ? positive(*instructions, name)
                                         : nanoseconds_of(entry) *
                                               positive(member(entry, time_member(name)), name));
  }
  if (result.metrics.empty()) throw BadContent{"it holds no benchmarks"};
}

}  // namespace

Result<StoredResult> read_stored(const std::filesystem::path& file) {
  const auto content = read_file(file, std::size_t{256} << 20);
  if (!content) return content.error();
  const auto refuse = [&](const std::string& what) {
    return Error{ErrorKind::corrupt, fmt::format("{} cannot be compared: {}", file.string(), what),
                 "give a benchmark-results.json of packet_bench run, or Google Benchmark's JSON"};
  };
  if (content->empty()) return refuse("it is empty");
  const Json json = parse_json(*content);
  if (json.is_discarded()) return refuse("it is no JSON, or was cut off");
  if (!json.is_object()) return refuse("it is no JSON object");
  StoredResult result;
  result.file = file;
  try {
    if (json.contains("benchmarks")) {
      read_google(json, result);
    } else {
      read_run(json, result);
    }
  } catch (const BadContent& bad) {
    return refuse(bad.what);
  } catch (const Json::exception& error) {
    return refuse(error.what());
  }
  return result;
}

Result<std::vector<StoredResult>> read_stored_all(const std::filesystem::path& path) {
  std::error_code failed;
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path, failed)) {
    for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    if (files.empty()) {
      return Error{ErrorKind::not_found, path.string() + " holds no .json files",
                   "give a folder of results"};
    }
  } else {
    files.push_back(path);
  }
  std::vector<StoredResult> results;
  for (const auto& file : files) {
    auto result = read_stored(file);
    if (!result) return result.error();
    results.push_back(std::move(*result));
  }
  std::sort(results.begin(), results.end(), [](const auto& one, const auto& other) {
    return std::tie(one.time, one.file) < std::tie(other.time, other.file);
  });
  return results;
}

}  // namespace slipway::bench
