#include "deploy/docker/docker_platform.hpp"

#include "deploy/docker/docker_command.hpp"
#include "deploy/docker/docker_engine.hpp"
#include "deploy/docker/solo_switch.hpp"
#include "deploy/haproxy/haproxy.hpp"
#include "deploy/state/host_store.hpp"

namespace slipway::deploy {

Platform make_docker_platform(const Config& config, const Patience& patience) {
  Platform platform;
  platform.store = std::make_unique<HostStore>(config);
  platform.engine = std::make_unique<DockerEngine>(config, patience);
  if (config.strategy == StrategyKind::recreate) {
    platform.traffic = std::make_unique<SoloSwitch>(config, *platform.engine, *platform.store);
  } else {
    const auto start = [&config](const std::filesystem::path& compose_file, std::stop_token stop) {
      return compose(config, {"up", "-d", "--no-deps", "--no-recreate", "haproxy"},
                     {{compose_file.string()}, docker_environment(config)}, std::move(stop));
    };
    platform.traffic = std::make_unique<Haproxy>(config, start);
  }
  return platform;
}

}  // namespace slipway::deploy
