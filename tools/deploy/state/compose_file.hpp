#pragma once

// The compose files that deploy makes where the host has none of its own. They are JSON, which is
// YAML and has one way to quote. What is the host's stays a variable, which is filled in when they
// are used: a snapshot goes back to what an image ran with, not to where it ran.

#include "base/error.hpp"
#include "deploy/state/config.hpp"
#include "service/service.hpp"

#include <map>
#include <string>
#include <vector>

namespace slipway::deploy {

// The service's ports inside its container, the one for HTTP first.
std::vector<std::uint16_t> ports_of(const service::Service& service);

// That the host's configuration publishes what the service has, each on a port of its own. Errors:
// usage.
Result<void> check_ports(const Config& config, const service::Service& service);

// The two colours: blue and green.
std::string compose_of_colours(const Config& config, const service::Service& service);

// What adds an environment to both, each value as it is, whatever is in it.
std::string compose_of_environment(const std::map<std::string, std::string>& values);

// Whether users reach one of its ports on one below 1024, which only root may listen on.
bool is_reached_on_low_port(const Config& config, const service::Service& service);

// HAProxy in front of them. `as_root`: it starts as root with the right to listen on low ports, and
// its configuration makes its workers give that up.
std::string compose_of_haproxy(const Config& config, bool as_root);

}  // namespace slipway::deploy
