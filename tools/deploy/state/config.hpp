#pragma once

#include "base/error.hpp"
#include "deploy/model/strategy_kind.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace slipway::deploy {

// What is true of a host: /etc/slipway/deploy.json. Relative paths are relative to that file. What
// is true of the service wherever it runs is in its slipway.yml (service/service.hpp).
struct Config {
  std::filesystem::path file;
  std::string platform = "docker";  // what runs the colours: a name that make_platform() knows
  // `recreate`: one container, stopped and started anew, on a host without HAProxy.
  StrategyKind strategy = StrategyKind::blue_green;
  std::string project = "slipway";  // compose project and prefix of container names
  std::string repository;           // so that `rollback v1.2.0` can name an unknown tag
  // The slipway.yml of images that bring none; empty: there is none.
  std::filesystem::path service_file;
  std::filesystem::path state_directory;  // read_config() always names one
  // Own files in place of those that deploy makes; empty: there are none.
  std::filesystem::path compose_file;
  std::filesystem::path haproxy_config;
  std::filesystem::path config_directory = "config";  // its folders are mounted read-only
  std::filesystem::path environment_file;             // of both colours; empty: there is none
  std::string docker_socket = "/var/run/docker.sock";
  std::string haproxy_image;
  // Where HAProxy tells its own metrics, on the host's loopback alone; 0: nowhere.
  std::uint16_t haproxy_metrics_port = 0;
  std::string subnet_prefix = "172.31.231";  // of the private bridge, a /24
  // Where users reach a port of the service, if not under the same number.
  std::map<std::uint16_t, std::uint16_t> ports;
  std::map<std::string, std::string> variables;  // of own compose files
  std::chrono::nanoseconds pull_deadline = std::chrono::minutes(10);
  std::chrono::nanoseconds step_deadline = std::chrono::seconds(60);
  int keep_releases = 5;
  double processors = 1024;             // of this machine; not written
  std::uint64_t minimum_free_mb = 200;  // on the disks of the state and of the engine
  // Run before anything is touched, with {image} replaced by repository@digest; must exit 0.
  std::vector<std::string> verify_command;
  // Of a cluster: of the kubeconfig in force where they are empty.
  std::string context;
  std::string cluster_namespace;
  std::optional<int> replicas;       // instead of the service's own
  std::filesystem::path patch_file;  // of the Deployment, a strategic merge; empty: there is none
  // Where an exporter collects *.prom (cli/metrics_file.hpp); empty: nothing is written.
  std::filesystem::path metrics_directory;
  std::string traces_url;  // of a collector that takes OTLP over HTTP; empty: none
  std::string webhook;     // a URL that gets each report as JSON; may hold a secret

  std::uint16_t published(std::uint16_t port) const;
};

// `file` may also be a slipway.yml (its name ends in .yml or .yaml), which is enough for a cluster.
// Errors: not_found, usage (naming the field that is wrong or unknown).
Result<Config> read_config(const std::filesystem::path& file);

}  // namespace slipway::deploy
