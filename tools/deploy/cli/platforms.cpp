#include "deploy/cli/platforms.hpp"

#include "deploy/docker/docker_platform.hpp"
#include "deploy/kubernetes/kubernetes_platform.hpp"

#include <map>
#include <string_view>

#include <fmt/core.h>

namespace slipway::deploy {

Result<Platform> make_platform(const Config& config, const Patience& patience) {
  // A line a platform.
  static const std::map<std::string_view, Platform (*)(const Config&, const Patience&)> factories{
      {"docker", make_docker_platform},
      {"kubernetes", make_kubernetes_platform},
  };
  const auto factory = factories.find(config.platform);
  if (factory != factories.end()) return factory->second(config, patience);
  std::string names;
  for (const auto& [name, unused] : factories)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  return Error{ErrorKind::usage, fmt::format("there is no platform '{}'", config.platform),
               fmt::format("write one of these into the field platform of {}: {}",
                           config.file.string(), names)};
}

}  // namespace slipway::deploy
