#include "packet_bench/compare/stored_result.hpp"

#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "packet_bench/report/result_json.hpp"

#include <algorithm>
#include <cmath>
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

void read_run(const Json& json, StoredResult& result) {
  const Json& version = member(json, "schemaVersion");
  if (version != schema_version) {
    throw BadContent{fmt::format("its schemaVersion is {}, and this packet_bench reads {}",
                                 to_text(version), schema_version)};
  }
  result.kind = StoredKind::run;
  result.timestamp = text(json, "timestamp");
  const Json& details = member(json, "details");
  const Json& context = member(details, "context");
  result.machine =
      fmt::format("{} x {}", to_text(member(context, "cpus")), text(context, "cpuModel"));
  result.rate = positive(member(details, "rate"), "rate");
  const auto enter = [&](const char* metric, double value) {
    result.metrics[metric].values = {value};
  };
  enter("rate", 1 / positive(member(json, "tps"), "tps"));
  enter("p50", positive(member(json, "p50LatencyMs"), "p50LatencyMs"));
  enter("p99", positive(member(json, "p99LatencyMs"), "p99LatencyMs"));
  const Json& cost = member(details, "targetCost");
  // Null where the target's process could not be seen.
  if (const Json& cpu = member(cost, "cpuUsPerPacket"); !cpu.is_null()) {
    enter("cpu", positive(cpu, "cpuUsPerPacket"));
  }
  if (const Json& memory = member(json, "memoryUsageMb"); !memory.is_null()) {
    enter("memory", positive(memory, "memoryUsageMb"));
  }
}

void read_google(const Json& json, StoredResult& result) {
  result.kind = StoredKind::google_benchmark;
  const Json& context = member(json, "context");
  result.timestamp = text(context, "date");
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
                                         : positive(member(entry, "cpu_time"), name));
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
    return std::tie(one.timestamp, one.file) < std::tie(other.timestamp, other.file);
  });
  return results;
}

}  // namespace slipway::bench
