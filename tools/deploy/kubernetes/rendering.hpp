#pragma once

// The objects of a service, from its slipway.yml. Pure.

#include "base/error.hpp"
#include "base/json.hpp"
#include "deploy/kubernetes/names.hpp"
#include "deploy/model/release.hpp"
#include "deploy/ports/switch.hpp"
#include "service/service.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace slipway::deploy {

// What the cluster's operators keep for a service: variables, and files by folder and name.
struct Supplied {
  std::map<std::string, std::string> environment;
  std::map<std::string, std::map<std::string, std::string>> folders;
};

// The data of the Secret that a snapshot is, by key, but for the two documents.
std::map<std::string, std::string> data_of(const Supplied& supplied);

// The Deployment of either colour, with placeholders for what a colour, a release and a transaction
// make of it.
Json deployment_template(const Names& names, const service::Service& service,
                         const Supplied& supplied, int replicas);

// What takes the placeholders' place.
struct Placement {
  Colour colour = Colour::blue;
  Release release;
  std::string transaction;
};
Json place(const Json& deployment_template, const Names& names, const Placement& placement);

// "512m", as Docker writes it, as Kubernetes does: "512Mi".
std::string memory_quantity(const std::string& docker);

// The Service, which leads to `colour`, or to nothing, and has the ports of both.
Json service_object(const Names& names, const Services& services, std::optional<Colour> colour);
// At most one pod of the service may be evicted at a time.
Json disruption_budget(const Names& names);

std::vector<std::uint16_t> all_ports(const service::Service& service);

// Whether a Deployment, patched already, has as many replicas as its service may. Errors: usage.
Result<void> check_replicas(const service::Service& service, const Json& deployment);

}  // namespace slipway::deploy
