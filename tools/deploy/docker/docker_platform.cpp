#include "deploy/docker/docker_platform.hpp"

#include "deploy/docker/docker_api.hpp"
#include "deploy/docker/docker_command.hpp"
#include "deploy/docker/docker_engine.hpp"
#include "deploy/docker/solo_switch.hpp"
#include "deploy/haproxy/haproxy.hpp"
#include "deploy/state/host_store.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

Platform make_docker_platform(const Config& config, const Patience& patience) {
  Platform platform;
  platform.store = std::make_unique<HostStore>(config);
  platform.engine = std::make_unique<DockerEngine>(config, patience);
  if (config.strategy == StrategyKind::recreate) {
    platform.traffic = std::make_unique<SoloSwitch>(config, *platform.engine, *platform.store);
  } else {
    const auto make = [&config](const std::filesystem::path& compose_file, std::stop_token stop) {
      return compose(config, {"up", "-d", "--no-deps", "--no-recreate", "haproxy"},
                     {{compose_file.string()}, docker_environment(config)}, std::move(stop));
    };
    const auto start_again = [&config, patience]() -> Result<bool> {
      const std::string name = config.project + "-haproxy";
      const DockerApi api(config.docker_socket, patience);
      auto answer = api.call("POST", "/containers/" + name + "/start");
      if (!answer) return answer.error();
      if (answer->ok() || answer->status == 404) return answer->ok();
      return Error{
          ErrorKind::failed, fmt::format("cannot start {}: {}", name, answer->message()), {}};
    };
    platform.traffic = std::make_unique<Haproxy>(config, Haproxy::Container{start_again, make});
  }
  return platform;
}

}  // namespace slipway::deploy
