#include "deploy/kubernetes/rendering.hpp"

#include "deploy/model/plan_json.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

// Strings that no setting can be.
constexpr const char* at_name = "<name>";
constexpr const char* at_colour = "<colour>";
constexpr const char* at_image = "<image>";
constexpr const char* at_snapshot_name = "<snapshot name>";
constexpr const char* at_snapshot = "<snapshot>";
constexpr const char* at_digest = "<digest>";
constexpr const char* at_release = "<release>";
constexpr const char* at_transaction = "<transaction>";

std::string environment_key(const std::string& variable) {
  return "env." + variable;
}

std::string file_key(const std::string& folder, const std::string& file) {
  return "config." + folder + "." + file;
}

Json labels_of(const Names& names) {
  return {{label_name, names.service}, {label_manager, manager}};
}

Json environment_of(const service::Service& service, const Supplied& supplied) {
  Json environment = Json::array();
  for (const auto& [name, value] : service.environment) {
    if (!supplied.environment.contains(name))
      environment.push_back({{"name", name}, {"value", value}});
  }
  for (const auto& [name, value] : supplied.environment) {
    environment.push_back(
        {{"name", name},
         {"valueFrom",
          {{"secretKeyRef", {{"name", at_snapshot_name}, {"key", environment_key(name)}}}}}});
  }
  return environment;
}

// A folder in memory, of at most this size, that every user may write to.
Json in_memory(const std::string& name, const char* size) {
  return {{"name", name}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", size}}}};
}

void mount(Json& pod, Json volume, const std::string& place, bool read_only = false) {
  Json mounted{{"name", volume.at("name")}, {"mountPath", place}};
  if (read_only) mounted["readOnly"] = true;
  pod["containers"][0]["volumeMounts"].push_back(std::move(mounted));
  pod["volumes"].push_back(std::move(volume));
}

void add_mounts(Json& pod, const Names& names, const service::Service& service,
                const Supplied& supplied) {
  mount(pod, in_memory("tmp", "16Mi"), "/tmp");
  int number = 0;
  for (const std::string& place : service.writable) {
    if (place != "/tmp") mount(pod, in_memory(fmt::format("memory-{}", ++number), "64Mi"), place);
  }
  number = 0;
  for (const auto& [folder, path] : service.config) {
    Json items = Json::array();
    const auto files = supplied.folders.find(folder);
    if (files != supplied.folders.end()) {
      for (const auto& [file, content] : files->second) {
        items.push_back({{"key", file_key(folder, file)}, {"path", file}});
      }
    }
    mount(pod,
          {{"name", fmt::format("config-{}", ++number)},
           {"secret", {{"secretName", at_snapshot_name}, {"items", items}, {"defaultMode", 0444}}}},
          path, true);
  }
  number = 0;
  for (const auto& [name, path] : service.volumes) {
    mount(pod,
          {{"name", fmt::format("volume-{}", ++number)},
           {"persistentVolumeClaim", {{"claimName", names.claim(name)}}}},
          path);
  }
}

Json get(const std::string& path, std::uint16_t port) {
  return {{"path", path}, {"port", port}};
}

Json container_of(const service::Service& service, const Supplied& supplied) {
  Json ports = Json::array();
  for (const std::uint16_t port : all_ports(service)) ports.push_back({{"containerPort", port}});
  Json capabilities{{"drop", {"ALL"}}};
  if (!service.capabilities.empty()) capabilities["add"] = service.capabilities;
  const std::string memory = memory_quantity(service.limits.memory);
  const auto millicores = [](double processors) {
    return fmt::format("{}m", std::max(1L, std::lround(processors * 1000)));
  };
  // A standby with roles is told that it is not ready, and is no worse for it.
  const std::string& ready = service.has_roles ? service.health : service.ready;
  return {
      {"name", container_name},
      {"image", at_image},
      {"ports", ports},
      {"env", environment_of(service, supplied)},
      {"resources",
       {{"limits", {{"memory", memory}, {"cpu", millicores(service.limits.processors)}}},
        {"requests", {{"memory", memory}, {"cpu", millicores(service.limits.processors / 4)}}}}},
      {"securityContext",
       {{"readOnlyRootFilesystem", true},
        {"allowPrivilegeEscalation", false},
        {"capabilities", capabilities}}},
      {"readinessProbe",
       {{"httpGet", get(ready, service.port)},
        {"periodSeconds", 1},
        {"timeoutSeconds", 2},
        {"failureThreshold", 3}}},
      {"livenessProbe",
       {{"httpGet", get(service.health, service.port)},
        {"periodSeconds", 10},
        {"timeoutSeconds", 5},
        {"failureThreshold", 6}}},
      {"volumeMounts", Json::array()}};
}

// Pods of a lost node are replaced elsewhere after half a minute and not after five.
Json tolerations() {
  Json all = Json::array();
  for (const char* taint : {"not-ready", "unreachable"}) {
    all.push_back({{"key", fmt::format("node.kubernetes.io/{}", taint)},
                   {"operator", "Exists"},
                   {"effect", "NoExecute"},
                   {"tolerationSeconds", 30}});
  }
  return all;
}

// Not both colours on one node, where there are several.
Json spread(const Names& names) {
  return Json::array({{{"maxSkew", 1},
                       {"topologyKey", "kubernetes.io/hostname"},
                       {"whenUnsatisfiable", "ScheduleAnyway"},
                       {"labelSelector", {{"matchLabels", {{label_name, names.service}}}}}}});
}

void fill(Json& json, const std::map<std::string, std::string>& values) {
  if (json.is_string()) {
    const auto value = values.find(json.get_ref<const std::string&>());
    if (value != values.end()) json = value->second;
  }
  if (json.is_structured()) {
    for (Json& part : json) fill(part, values);
  }
}

}  // namespace

std::vector<std::uint16_t> all_ports(const service::Service& service) {
  std::vector<std::uint16_t> ports{service.port};
  ports.insert(ports.end(), service.tcp.begin(), service.tcp.end());
  return ports;
}

std::string memory_quantity(const std::string& docker) {
  std::string quantity = docker;
  if (quantity.ends_with('k')) quantity.back() = 'K';
  if (quantity.ends_with('m')) quantity.back() = 'M';
  if (quantity.ends_with('g')) quantity.back() = 'G';
  return quantity + "i";
}

std::map<std::string, std::string> data_of(const Supplied& supplied) {
  std::map<std::string, std::string> data;
  for (const auto& [name, value] : supplied.environment) data[environment_key(name)] = value;
  for (const auto& [folder, files] : supplied.folders) {
    for (const auto& [file, content] : files) data[file_key(folder, file)] = content;
  }
  return data;
}

Json deployment_template(const Names& names, const service::Service& service,
                         const Supplied& supplied, int replicas) {
  Json labels = labels_of(names);
  labels[label_colour] = at_colour;
  const Json selector{{label_name, names.service}, {label_colour, at_colour}};
  // As with the engine of a host: time for what drains, and a little more.
  const auto grace = std::chrono::ceil<std::chrono::seconds>(service.drain).count() + 5;
  Json pod{{"containers", Json::array({container_of(service, supplied)})},
           {"volumes", Json::array()},
           {"terminationGracePeriodSeconds", grace},
           {"automountServiceAccountToken", false},
           {"enableServiceLinks", false},
           {"securityContext", {{"seccompProfile", {{"type", "RuntimeDefault"}}}}},
           {"tolerations", tolerations()},
           {"topologySpreadConstraints", spread(names)}};
  add_mounts(pod, names, service, supplied);
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata",
           {{"name", at_name},
            {"labels", labels},
            {"annotations",
             {{mark("digest"), at_digest},
              {mark("snapshot"), at_snapshot},
              {mark("transaction"), at_transaction},
              {mark("release"), at_release}}}}},
          {"spec",
           {{"replicas", replicas},
            {"revisionHistoryLimit", 0},
            {"strategy", {{"type", "Recreate"}}},
            {"selector", {{"matchLabels", selector}}},
            {"template", {{"metadata", {{"labels", labels}}}, {"spec", pod}}}}}};
}

Json place(const Json& deployment_template, const Names& names, const Placement& placement) {
  const Release& release = placement.release;
  Json deployment = deployment_template;
  fill(deployment, {{at_name, names.deployment(placement.colour)},
                    {at_colour, std::string(to_string(placement.colour))},
                    {at_image, release.repository + "@" + release.digest},
                    {at_snapshot_name, names.snapshot(release.snapshot)},
                    {at_snapshot, release.snapshot},
                    {at_digest, release.digest},
                    {at_release, to_json_text(release)},
                    {at_transaction, placement.transaction}});
  return deployment;
}

Json service_object(const Names& names, const Services& services, std::optional<Colour> colour) {
  Json ports = Json::array();
  const auto add = [&](std::uint16_t port) {
    const std::string name = fmt::format("port-{}", port);
    for (const Json& known : ports) {
      if (known.at("name") == name) return;
    }
    ports.push_back({{"name", name}, {"port", port}, {"targetPort", port}, {"protocol", "TCP"}});
  };
  bool has_roles = false;
  for (const Colour one : {Colour::blue, Colour::green}) {
    has_roles = has_roles || services.on(one).has_roles;
    for (const std::uint16_t port : all_ports(services.on(one))) add(port);
  }
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", {{"name", names.service}, {"labels", labels_of(names)}}},
          {"spec",
           {{"selector",
             {{label_name, names.service},
              {label_colour, colour ? std::string(to_string(*colour)) : "none"}}},
            // One with roles is ready only since it is active, which the cluster learns up to a
            // second later; we have asked it ourselves.
            {"publishNotReadyAddresses", has_roles},
            {"ports", ports}}}};
}

Json disruption_budget(const Names& names) {
  return {
      {"apiVersion", "policy/v1"},
      {"kind", "PodDisruptionBudget"},
      {"metadata", {{"name", names.service}, {"labels", labels_of(names)}}},
      {"spec",
       {{"maxUnavailable", 1}, {"selector", {{"matchLabels", {{label_name, names.service}}}}}}}};
}

Result<void> check_replicas(const service::Service& service, const Json& deployment) {
  const auto replicas = JsonValue::parse(to_text(deployment)).at({"spec", "replicas"}).integer();
  if (!service.has_roles || replicas <= 1) return {};
  return Error{ErrorKind::usage,
               fmt::format("{} replicas of a service with roles: it keeps its peers' connections "
                           "and balances to itself",
                           replicas),
               "it is one instance, which moves: leave out replicas, also of the patch"};
}

}  // namespace slipway::deploy
