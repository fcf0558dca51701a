#include "deploy/state/config.hpp"

#include "base/durable_file.hpp"
#include "base/json.hpp"
#include "base/units.hpp"

#include <functional>
#include <map>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Sets one field from its JSON value; false: the value is not of the kind that the field needs.
using Setter = std::function<bool(const Json&)>;
using Setters = std::map<std::string, Setter>;

Setter text(std::string& field) {
  return [&field](const Json& value) {
    if (!value.is_string()) return false;
    field = value.get<std::string>();
    return true;
  };
}

Setter path(std::filesystem::path& field, const std::filesystem::path& base) {
  return [&field, base](const Json& value) {
    if (!value.is_string()) return false;
    const std::filesystem::path given = value.get<std::string>();
    field = given.empty() ? given : (base / given).lexically_normal();
    return true;
  };
}

Setter duration(std::chrono::nanoseconds& field) {
  return [&field](const Json& value) {
    if (!value.is_string()) return false;
    const auto parsed = parse_duration(value.get<std::string>());
    if (parsed) field = *parsed;
    return parsed.has_value();
  };
}

template <typename Integer>
Setter integer(Integer& field, long long lowest, long long highest) {
  return [&field, lowest, highest](const Json& value) {
    if (!value.is_number_integer()) return false;
    const auto given = value.get<long long>();
    field = static_cast<Integer>(given);
    return given >= lowest && given <= highest;
  };
}

Setter number(double& field) {
  return [&field](const Json& value) {
    if (!value.is_number() || value.get<double>() < 0) return false;
    field = value.get<double>();
    return true;
  };
}

Setter strategy(StrategyKind& kind) {
  return [&kind](const Json& value) {
    kind = value == "recreate" ? StrategyKind::recreate : StrategyKind::blue_green;
    return value == "recreate" || value == "blue-green";
  };
}

Setter words(std::vector<std::string>& field) {
  return [&field](const Json& value) {
    if (!value.is_array()) return false;
    field.clear();
    for (const Json& word : value) {
      if (!word.is_string()) return false;
      field.push_back(word.get<std::string>());
    }
    return true;
  };
}

Result<void> set_all(const Json& object, const Setters& setters, const std::string& where);

Setter section(Setters setters, Result<void>& outcome, const std::string& name) {
  return [setters = std::move(setters), &outcome, name](const Json& value) {
    if (!value.is_object()) return false;
    outcome = set_all(value, setters, name + ".");
    return true;
  };
}

Result<void> set_all(const Json& object, const Setters& setters, const std::string& where) {
  for (const auto& [name, value] : object.items()) {
    const auto setter = setters.find(name);
    if (setter == setters.end()) {
      return Error{ErrorKind::usage, fmt::format("unknown field {}{}", where, name), {}};
    }
    if (!setter->second(value)) {
      return Error{
          ErrorKind::usage, fmt::format("field {}{} cannot be {}", where, name, value.dump()), {}};
    }
  }
  return {};
}

Result<void> fill(Config& config, const Json& object) {
  const std::filesystem::path base = config.file.parent_path();
  Result<void> health;
  Result<void> bake;
  GateRules& gate = config.gate;
  const Setters setters{
      {"platform", text(config.platform)},
      {"strategy", strategy(config.strategy)},
      {"project", text(config.project)},
      {"image", text(config.repository)},
      {"stateDir", path(config.state_directory, base)},
      {"composeFile", path(config.compose_file, base)},
      {"haproxyConfig", path(config.haproxy_config, base)},
      {"configDir", path(config.config_directory, base)},
      {"envFile", path(config.environment_file, base)},
      {"dockerSocket", text(config.docker_socket)},
      {"haproxyImage", text(config.haproxy_image)},
      {"subnetPrefix", text(config.subnet_prefix)},
      {"btpPort", integer(config.btp_port, 1, 65535)},
      {"httpPort", integer(config.http_port, 1, 65535)},
      {"packetCommand", words(config.packet_command)},
      {"pullTimeout", duration(config.pull_deadline)},
      {"stepTimeout", duration(config.step_deadline)},
      {"drainTimeout", duration(config.drain_deadline)},
      {"minimumFreeMb", integer(config.minimum_free_mb, 0, 1'000'000)},
      {"verifyCommand", words(config.verify_command)},
      {"webhook", text(config.webhook)},
      {"keepReleases", integer(config.keep_releases, 1, 1000)},
      {"health", section({{"interval", duration(gate.interval)},
                          {"timeout", duration(gate.timeout)},
                          {"healthyInARow", integer(gate.healthy_in_a_row, 1, 1000)},
                          {"minimumHealthy", duration(gate.minimum_healthy)},
                          {"deadline", duration(gate.deadline)}},
                         health, "health")},
      {"bake", section({{"window", duration(config.bake.window)},
                        {"longest", duration(config.bake.longest)},
                        {"minimumPackets", integer(config.bake.minimum_packets, 1, 1'000'000'000)},
                        {"worseRejects", number(config.bake.worse_rejects)},
                        {"worseLatency", number(config.bake.worse_latency)},
                        {"latencyAllowance", duration(config.bake.latency_allowance)}},
                       bake, "bake")}};
  if (auto set = set_all(object, setters, ""); !set) return set;
  if (!health) return health;
  return bake;
}

}  // namespace

Result<Config> read_config(const std::filesystem::path& file) {
  auto bytes = read_file(file, std::size_t{1} << 20);
  if (!bytes) {
    Error error = bytes.error();
    error.remedy = "name the host's configuration with --config FILE";
    return error;
  }
  const Json object = parse_json(*bytes, true);
  Config config;
  config.file = std::filesystem::absolute(file);
  const std::filesystem::path base = config.file.parent_path();
  for (auto* relative : {&config.compose_file, &config.haproxy_config, &config.config_directory}) {
    *relative = base / *relative;
  }
  Result<void> filled = Error{ErrorKind::usage, "it is not a JSON object", {}};
  if (object.is_object()) filled = fill(config, object);
  if (!filled) {
    return Error{ErrorKind::usage,
                 fmt::format("cannot use {}: {}", file.string(), filled.error().what),
                 "correct the file"};
  }
  return config;
}

}  // namespace slipway::deploy
