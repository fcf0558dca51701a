#pragma once

// What the account of CI must be allowed in the service's namespace, and nothing else.

#include "deploy/kubernetes/cluster_api.hpp"

#include <string>
#include <vector>

namespace slipway::deploy {

struct AccessRule {
  std::string group;  // of the API; empty: the core
  std::vector<std::string> resources;
  std::vector<std::string> verbs;
};

const std::vector<AccessRule>& needed_access();
// As the rules of a Role (rbac.authorization.k8s.io/v1), JSON.
std::string access_as_rules();

// Asks the API server of each. Errors: failed (naming what is missing), unreachable.
Result<void> check_access(ClusterApi& api);

}  // namespace slipway::deploy
