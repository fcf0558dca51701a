#pragma once

// What the operators change of the objects: a file with a mapping from a kind to a strategic merge.

#include "base/json.hpp"
#include "deploy/kubernetes/cluster_api.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace slipway::deploy {

// By kind: Deployment, Service, PodDisruptionBudget. Errors: not_found, usage.
Result<std::map<std::string, Json>> read_patches(const std::filesystem::path& file);

// Changes the object as the file says of its kind; `file` empty: it says nothing. Merged by
// kubectl, which knows which lists go by a key. Errors: usage, not_found, io.
Result<void> apply_patch(ClusterApi& api, const std::filesystem::path& file, Json& object);

}  // namespace slipway::deploy
