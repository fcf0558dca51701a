#include "deploy/state/compose_file.hpp"

#include "base/json.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace slipway::deploy {
namespace {

// A text that compose takes as it is.
std::string literal(const std::string& text) {
  std::string quoted;
  for (const char c : text) quoted += c == '$' ? "$$" : std::string(1, c);
  return quoted;
}

Json bind_mount(const std::string& source, const std::string& target, bool read_only) {
  return {{"type", "bind"}, {"source", source}, {"target", target}, {"read_only", read_only}};
}

Json logging() {
  return {{"driver", "json-file"}, {"options", {{"max-size", "10m"}, {"max-file", "3"}}}};
}

// What nothing of ours needs.
Json hardened() {
  return {{"restart", "unless-stopped"},
          {"read_only", true},
          {"cap_drop", {"ALL"}},
          {"security_opt", {"no-new-privileges:true"}},
          {"logging", logging()}};
}

Json mounts_of(const service::Service& service) {
  Json mounts = Json::array();
  for (const auto& [folder, place] : service.config) {
    mounts.push_back(bind_mount("${SLIPWAY_CONFIG_DIR:?}/" + folder, literal(place), true));
  }
  for (const auto& [name, place] : service.volumes) {
    mounts.push_back({{"type", "volume"}, {"source", name}, {"target", literal(place)}});
  }
  return mounts;
}

Json memory_of(const service::Service& service) {
  Json places = Json::array({fmt::format("/tmp:{}", service::temporary_options)});
  for (const std::string& place : service.writable) {
    if (place == "/tmp") continue;
    places.push_back(fmt::format("{}:{}", literal(place), service::writable_options));
  }
  return places;
}

// What both colours are made of.
Json colour_of(const Config& config, const service::Service& service) {
  Json colour = hardened();
  if (!service.capabilities.empty()) colour["cap_add"] = service.capabilities;
  colour["pids_limit"] = service.limits.processes;
  colour["mem_limit"] = service.limits.memory;
  // An engine refuses a limit above what it has.
  colour["cpus"] = std::min(service.limits.processors, config.processors);
  // The engine's own stop, as when the host shuts down, leaves time for what drains.
  const auto grace = std::chrono::ceil<std::chrono::seconds>(service.drain).count() + 5;
  colour["stop_grace_period"] = fmt::format("{}s", grace);
  colour["tmpfs"] = memory_of(service);
  colour["env_file"] = {"${SLIPWAY_ENV_FILE:?}"};
  colour["environment"] = Json::object();
  for (const auto& [name, value] : service.environment)
    colour["environment"][name] = literal(value);
  colour["volumes"] = mounts_of(service);
  for (const char* label : {"transaction", "digest", "snapshot"}) {
    std::string variable = label;
    std::transform(variable.begin(), variable.end(), variable.begin(),
                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    colour["labels"][fmt::format("io.slipway.{}", label)] =
        fmt::format("${{SLIPWAY_{}:-}}", variable);
  }
  // Without HAProxy one of the two runs at a time and has the ports.
  if (config.strategy == StrategyKind::recreate) {
    for (const std::uint16_t port : ports_of(service)) {
      colour["ports"].push_back(fmt::format("${{SLIPWAY_PORT_{0}:-{0}}}:{0}", port));
    }
  }
  return colour;
}

Json placed(Json colour, const std::string& name, const std::string& variable, int address) {
  colour["container_name"] = "${SLIPWAY_PROJECT:-slipway}-" + name;
  colour["image"] = fmt::format("${{{}:-slipway/none}}", variable);
  colour["networks"]["colours"]["ipv4_address"] =
      fmt::format("${{SLIPWAY_SUBNET_PREFIX:-172.31.231}}.{}", address);
  return colour;
}

}  // namespace

std::vector<std::uint16_t> ports_of(const service::Service& service) {
  std::vector<std::uint16_t> ports{service.port};
  ports.insert(ports.end(), service.tcp.begin(), service.tcp.end());
  return ports;
}

Result<void> check_ports(const Config& config, const service::Service& service) {
  const std::vector<std::uint16_t> ports = ports_of(service);
  const auto refused = [&](const std::string& what) {
    return Error{ErrorKind::usage,
                 fmt::format("{} (field ports of {})", what, config.file.string()),
                 fmt::format("the service's ports are {}; correct ports", fmt::join(ports, ", "))};
  };
  for (const auto& [port, outside] : config.ports) {
    if (std::find(ports.begin(), ports.end(), port) == ports.end()) {
      return refused(fmt::format("the service has no port {} to publish on {}", port, outside));
    }
  }
  std::map<std::uint16_t, std::uint16_t> inside;
  for (const std::uint16_t port : ports) {
    const auto [before, is_new] = inside.emplace(config.published(port), port);
    if (!is_new) {
      return refused(fmt::format("{} and {} of the service are both published on {}",
                                 before->second, port, before->first));
    }
  }
  const auto taken = inside.find(config.haproxy_metrics_port);
  if (config.haproxy_metrics_port != 0 && taken != inside.end()) {
    return refused(fmt::format("haproxyMetricsPort {} is where {} of the service is published",
                               taken->first, taken->second));
  }
  return {};
}

std::string compose_of_colours(const Config& config, const service::Service& service) {
  const Json colour = colour_of(config, service);
  Json volumes = Json::object();
  for (const auto& [name, place] : service.volumes) volumes[name] = Json::object();
  const Json subnet{{"subnet", "${SLIPWAY_SUBNET_PREFIX:-172.31.231}.0/24"}};
  const Json document{
      {"services",
       {{"blue", placed(colour, "blue", "SLIPWAY_BLUE_IMAGE", 10)},
        {"green", placed(colour, "green", "SLIPWAY_GREEN_IMAGE", 11)}}},
      {"networks",
       {{"colours", {{"driver", "bridge"}, {"ipam", {{"config", Json::array({subnet})}}}}}}},
      {"volumes", volumes}};
  return to_text(document, 2) + "\n";
}

std::string compose_of_environment(const std::map<std::string, std::string>& values) {
  Json environment = Json::object();
  for (const auto& [name, value] : values) environment[name] = literal(value);
  const Json colour{{"environment", environment}};
  return to_text(Json{{"services", {{"blue", colour}, {"green", colour}}}}, 2) + "\n";
}

bool is_reached_on_low_port(const Config& config, const service::Service& service) {
  const auto ports = ports_of(service);
  return std::any_of(ports.begin(), ports.end(),
                     [&](std::uint16_t port) { return config.published(port) < 1024; });
}

std::string compose_of_haproxy(const Config& config, bool as_root) {
  Json haproxy = hardened();
  haproxy["container_name"] = "${SLIPWAY_PROJECT:-slipway}-haproxy";
  haproxy["image"] = "${SLIPWAY_HAPROXY_IMAGE:-haproxy:2.8}";
  haproxy["network_mode"] = "host";
  // An engine that maps users to others gives none of those the host's network.
  haproxy["userns_mode"] = "host";
  haproxy["user"] = as_root ? "0:10001" : "10001:10001";
  if (as_root) haproxy["cap_add"] = {"NET_BIND_SERVICE", "SETGID", "SETUID"};
  haproxy["entrypoint"] = {"haproxy", "-W", "-db", "-f", "/etc/slipway/haproxy.cfg"};
  haproxy["command"] = Json::array();
  haproxy["pids_limit"] = 64;
  haproxy["mem_limit"] = "512m";
  // For a haproxy.cfg of the host's own.
  for (const auto& [name, value] : config.variables) haproxy["environment"][name] = literal(value);
  haproxy["environment"]["SLIPWAY_SUBNET_PREFIX"] = "${SLIPWAY_SUBNET_PREFIX:-172.31.231}";
  for (const auto& [port, outside] : config.ports) {
    haproxy["environment"][fmt::format("SLIPWAY_PORT_{}", port)] = std::to_string(outside);
  }
  haproxy["volumes"] =
      Json::array({bind_mount("${SLIPWAY_HAPROXY_CONFIG:?}", "/etc/slipway/haproxy.cfg", true),
                   bind_mount("${SLIPWAY_STATE_DIR:?}/proxy/map", "/var/lib/slipway-proxy", true),
                   bind_mount("${SLIPWAY_STATE_DIR:?}/proxy/run", "/run/slipway", false)});
  return to_text(Json{{"services", {{"haproxy", haproxy}}}}, 2) + "\n";
}

}  // namespace slipway::deploy
