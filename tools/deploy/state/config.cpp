#include "deploy/state/config.hpp"

#include "base/durable_file.hpp"
#include "base/foreign_text.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "base/units.hpp"
#include "deploy/model/ledger.hpp"
#include "service/read_service.hpp"

#include <charconv>
#include <functional>
#include <map>
#include <unistd.h>

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

Setter optional_integer(std::optional<int>& field, long long lowest, long long highest) {
  return [&field, lowest, highest](const Json& value) {
    return integer(field.emplace(), lowest, highest)(value);
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

// {"8080": 80}: 8080 in the container, 80 outside.
Setter port_map(std::map<std::uint16_t, std::uint16_t>& field) {
  return [&field](const Json& value) {
    if (!value.is_object()) return false;
    for (const auto& [name, outside] : value.items()) {
      unsigned inside = 0;
      const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), inside);
      std::uint16_t number = 0;
      const bool is_port = failed == std::errc{} && end == name.data() + name.size() &&
                           inside >= 1 && inside <= 65535;
      if (!is_port || !integer(number, 1, 65535)(outside)) return false;
      field[static_cast<std::uint16_t>(inside)] = number;
    }
    return true;
  };
}

Setter texts(std::map<std::string, std::string>& field) {
  return [&field](const Json& value) {
    if (!value.is_object()) return false;
    for (const auto& [name, item] : value.items()) {
      if (!item.is_string()) return false;
      field[name] = item.get<std::string>();
    }
    return true;
  };
}

Result<void> set_all(const Json& object, const Setters& setters) {
  for (const auto& [name, value] : object.items()) {
    const auto setter = setters.find(name);
    if (setter == setters.end()) {
      return Error{ErrorKind::usage, fmt::format("unknown field {}", name), {}};
    }
    if (!setter->second(value)) {
      // These may hold a token.
      const bool secret = name == "variables" || name == "webhook" || name == "verifyCommand";
      return Error{ErrorKind::usage,
                   fmt::format("field {} cannot be {}", name,
                               secret ? "what it is given: another kind of value is needed"
                                      : foreign_line(to_text(value), 200)),
                   {}};
    }
  }
  return {};
}

Result<void> fill(Config& config, const Json& object) {
  const std::filesystem::path base = config.file.parent_path();
  const Setters setters{
      {"platform", text(config.platform)},
      {"strategy", strategy(config.strategy)},
      {"project", text(config.project)},
      {"image", text(config.repository)},
      {"service", path(config.service_file, base)},
      {"stateDir", path(config.state_directory, base)},
      {"composeFile", path(config.compose_file, base)},
      {"haproxyConfig", path(config.haproxy_config, base)},
      {"configDir", path(config.config_directory, base)},
      {"envFile", path(config.environment_file, base)},
      {"dockerSocket", text(config.docker_socket)},
      {"haproxyImage", text(config.haproxy_image)},
      {"haproxyMetricsPort", integer(config.haproxy_metrics_port, 0, 65535)},
      {"subnetPrefix", text(config.subnet_prefix)},
      {"ports", port_map(config.ports)},
      {"variables", texts(config.variables)},
      {"pullTimeout", duration(config.pull_deadline)},
      {"stepTimeout", duration(config.step_deadline)},
      {"minimumFreeMb", integer(config.minimum_free_mb, 0, 1'000'000)},
      {"verifyCommand", words(config.verify_command)},
      {"context", text(config.context)},
      {"namespace", text(config.cluster_namespace)},
      {"replicas", optional_integer(config.replicas, 1, 1000)},
      {"patch", path(config.patch_file, base)},
      {"webhook", text(config.webhook)},
      {"tracesUrl", text(config.traces_url)},
      {"metricsDir", path(config.metrics_directory, base)},
      {"keepReleases", integer(config.keep_releases, 1, Ledger::most_remembered)}};
  return set_all(object, setters);
}

// Ports under one number outside would be one port.
Result<void> check_ports(const Config& config) {
  std::map<std::uint16_t, std::uint16_t> inside;
  for (const auto& [port, outside] : config.ports) {
    const auto [before, is_new] = inside.emplace(outside, port);
    if (is_new) continue;
    return Error{
        ErrorKind::usage,
        fmt::format("field ports gives {} to both {} and {}", outside, before->second, port),
        {}};
  }
  return {};
}

bool only(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_prefix_of_24_bits(std::string_view text) {
  int parts = 0;
  for (std::size_t begin = 0; begin <= text.size(); ++parts) {
    const std::string_view part = text.substr(begin, text.find('.', begin) - begin);
    int number = 0;
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (failed != std::errc{} || end != part.data() + part.size() || number < 0 || number > 255) {
      return false;
    }
    begin += part.size() + 1;
  }
  return parts == 3;
}

Error refused(const std::string& what) {
  return {ErrorKind::usage, what, {}};
}

// What others would refuse later in words of their own, or take for something else.
Result<void> check_names_of_host(const Config& config) {
  std::error_code ignored;
  const std::filesystem::path socket = config.docker_socket;
  const auto status = std::filesystem::status(socket, ignored);
  if (socket.is_relative()) {
    return refused(
        fmt::format("field dockerSocket cannot be '{}': the path of the engine's socket, "
                    "from the root and without unix://",
                    foreign_line(config.docker_socket, 200)));
  }
  // One that is not there is that of an engine that is down.
  if (std::filesystem::exists(status) && !std::filesystem::is_socket(status)) {
    return refused(fmt::format("field dockerSocket: {} is no socket", config.docker_socket));
  }
  if (!std::filesystem::exists(socket.parent_path(), ignored)) {
    return refused(
        fmt::format("field dockerSocket: there is no folder {}", socket.parent_path().string()));
  }
  if (!is_prefix_of_24_bits(config.subnet_prefix)) {
    return refused(fmt::format("field subnetPrefix cannot be '{}': three numbers, as 172.31.231",
                               foreign_line(config.subnet_prefix, 80)));
  }
  return {};
}

// The project's name is part of those of objects, which have at most 63 characters.
Result<void> check_names(const Config& config) {
  const bool is_cluster = config.platform == "kubernetes";
  constexpr std::string_view small = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::string_view allowed = is_cluster ? small.substr(0, small.size() - 1) : small;
  const bool is_long = is_cluster && config.project.size() > 40;
  if (!only(config.project, allowed) || config.project.front() == '-' ||
      config.project.front() == '_' || is_long) {
    return refused(
        fmt::format("field project cannot be '{}': small letters, digits{}, beginning "
                    "with a letter or digit{}",
                    foreign_line(config.project, 80), is_cluster ? " and -" : ", - and _",
                    is_cluster ? ", at most 40" : ""));
  }
  if (!is_cluster) return check_names_of_host(config);
  if (config.strategy == StrategyKind::recreate) {
    return refused("field strategy: a cluster has room for both colours; leave out recreate");
  }
  return {};
}

// Where whoever runs a command may write, and finds it again: on a host that is root.
std::filesystem::path own_state_directory() {
  const Environment environment = current_environment();
  const auto of = [&](const char* name) {
    const auto found = environment.find(name);
    return std::filesystem::path(found == environment.end() ? std::string() : found->second);
  };
  const std::filesystem::path state = of("XDG_STATE_HOME");
  if (state.is_absolute()) return state / "slipway";
  const std::filesystem::path home = of("HOME");
  return (home.is_absolute() ? home : "/root") / std::filesystem::path(".local/state/slipway");
}

// What of the configuration the service itself says, for a cluster.
Result<Config> config_of_service(const std::filesystem::path& file) {
  auto service = service::read_service(file);
  if (!service) return service.error();
  Config config;
  config.file = std::filesystem::absolute(file);
  config.service_file = config.file;
  config.platform = service->platform;
  if (config.platform != "kubernetes") {
    return Error{ErrorKind::usage,
                 fmt::format("{} alone does not say where its service runs", file.string()),
                 "name the host's deploy.json with --config FILE, or, for a cluster, write "
                 "'platform: kubernetes' into it"};
  }
  if (service->name.empty()) {
    return Error{ErrorKind::usage, fmt::format("{} does not say its service's name", file.string()),
                 "write 'service: NAME' into it"};
  }
  config.project = service->name;
  config.repository = service->image.substr(0, service->image.find('@'));
  return config;
}

// The file's place where it lies beside the configuration under its usual name, else nothing.
std::filesystem::path beside(const std::filesystem::path& base, const char* name) {
  std::error_code ignored;
  return std::filesystem::exists(base / name, ignored) ? base / name : std::filesystem::path();
}

Result<Config> config_of_host(const std::filesystem::path& file) {
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
  config.config_directory = base / config.config_directory;
  config.service_file = beside(base, "slipway.yml");
  config.environment_file = beside(base, "service.env");
  Result<void> filled = Error{ErrorKind::usage, "it is not a JSON object", {}};
  if (object.is_object()) filled = fill(config, object);
  if (filled) filled = check_ports(config);
  if (!filled) {
    return Error{ErrorKind::usage,
                 fmt::format("cannot use {}: {}", file.string(), filled.error().what),
                 "correct the file"};
  }
  return config;
}

}  // namespace

std::uint16_t Config::published(std::uint16_t port) const {
  const auto other = ports.find(port);
  return other == ports.end() ? port : other->second;
}

Result<Config> read_config(const std::filesystem::path& file) {
  Result<Config> config = file.extension() == ".yml" || file.extension() == ".yaml"
                              ? config_of_service(file)
                              : config_of_host(file);
  if (!config) return config.error();
  if (auto right = check_names(*config); !right) {
    return Error{ErrorKind::usage,
                 fmt::format("cannot use {}: {}", file.string(), right.error().what),
                 "correct the file"};
  }
  if (config->platform == "kubernetes" && config->state_directory.empty()) {
    config->state_directory = own_state_directory();
  }
  if (config->state_directory.empty()) config->state_directory = "/var/lib/slipway";
  if (const long online = ::sysconf(_SC_NPROCESSORS_ONLN); online > 0) {
    config->processors = static_cast<double>(online);
  }
  return config;
}

}  // namespace slipway::deploy
