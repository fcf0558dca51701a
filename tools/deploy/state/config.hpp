#pragma once

#include "base/error.hpp"
#include "deploy/model/bake.hpp"
#include "deploy/model/health.hpp"
#include "deploy/model/strategy_kind.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace slipway::deploy {

// What is true of a host: /etc/slipway/deploy.json. Relative paths are relative to that file.
struct Config {
  std::filesystem::path file;
  std::string platform = "docker";  // what runs the colours: a name that make_platform() knows
  // `recreate`: one container, stopped and started anew, on a host without HAProxy.
  StrategyKind strategy = StrategyKind::blue_green;
  std::string project = "slipway";  // compose project and prefix of container names
  std::string repository;           // so that `rollback v1.2.0` can name an unknown tag
  std::filesystem::path state_directory = "/var/lib/slipway";
  std::filesystem::path compose_file = "compose.yml";
  std::filesystem::path haproxy_config = "haproxy.cfg";
  std::filesystem::path config_directory = "connector";  // mounted read-only into both colours
  std::filesystem::path environment_file;                // of both colours; may be absent
  std::string docker_socket = "/var/run/docker.sock";
  std::string haproxy_image;
  std::string subnet_prefix = "172.31.231";  // of the private bridge, a /24
  std::uint16_t btp_port = 4000;
  std::uint16_t http_port = 8080;
  GateRules gate;
  std::vector<std::string> packet_command;  // run in the candidate; one real packet; may be empty
  std::chrono::nanoseconds pull_deadline = std::chrono::minutes(10);
  std::chrono::nanoseconds step_deadline = std::chrono::seconds(60);
  std::chrono::nanoseconds drain_deadline = std::chrono::seconds(30);
  BakeRules bake;
  int keep_releases = 5;
  std::uint64_t minimum_free_mb = 200;  // on the disks of the state and of the engine
  // Run before anything is touched, with {image} replaced by repository@digest; must exit 0.
  std::vector<std::string> verify_command;
  std::string webhook;  // a URL that gets each report as JSON; may hold a secret
};

// Errors: not_found, usage (naming the field that is wrong or unknown).
Result<Config> read_config(const std::filesystem::path& file);

}  // namespace slipway::deploy
