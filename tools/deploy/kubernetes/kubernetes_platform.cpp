#include "deploy/kubernetes/kubernetes_platform.hpp"

#include "deploy/kubernetes/cluster_engine.hpp"
#include "deploy/kubernetes/cluster_store.hpp"
#include "deploy/kubernetes/service_switch.hpp"

namespace slipway::deploy {

Platform make_kubernetes_platform(const Config& config, const Patience& patience) {
  const auto api = std::make_shared<ClusterApi>(config, patience);
  auto store = std::make_unique<ClusterStore>(config, *api);
  auto engine = std::make_unique<ClusterEngine>(config, *api, *store);
  return {api, std::move(store), std::move(engine), std::make_unique<ServiceSwitch>(config, *api)};
}

}  // namespace slipway::deploy
