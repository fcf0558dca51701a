#pragma once

// What the objects of a service are called in a cluster, and how they are marked as ours.

#include "deploy/model/colour.hpp"

#include <string>
#include <string_view>

namespace slipway::deploy {

inline constexpr std::string_view label_name = "app.kubernetes.io/name";
inline constexpr std::string_view label_manager = "app.kubernetes.io/managed-by";
inline constexpr std::string_view label_colour = "slipway.io/colour";
inline constexpr std::string_view manager = "slipway";
// Of a snapshot: so that all of them are found.
inline constexpr std::string_view label_part = "slipway.io/part";

// "slipway.io/digest" and the like, of annotations.
std::string mark(std::string_view name);

// The container in a pod that is the service; others beside it are a patch's.
inline constexpr std::string_view container_name = "service";

struct Names {
  std::string service;  // Config::project
  std::string space;    // the namespace

  std::string deployment(Colour colour) const;
  std::string journal() const { return service + "-journal"; }
  std::string lease() const { return service + "-lock"; }
  // What the operators of the cluster keep: variables, and a folder's files.
  std::string environment() const { return service + "-env"; }
  std::string folder(const std::string& name) const { return service + "-config-" + name; }
  std::string claim(const std::string& volume) const { return service + "-" + volume; }
  std::string snapshot(const std::string& hash) const;

  // Where the API has objects of a kind: deployments, services, ...; with a name, one of them.
  std::string path(std::string_view kind, std::string_view name = {}) const;
  // Where a pod's port is passed on: what comes before the path of a request.
  std::string pod_proxy(std::string_view pod, int port) const;
  // The selector of all pods of a colour, as part of a request.
  std::string selector(Colour colour) const;
};

}  // namespace slipway::deploy
