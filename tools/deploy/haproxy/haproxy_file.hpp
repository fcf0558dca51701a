#pragma once

#include "deploy/ports/switch.hpp"
#include "deploy/state/config.hpp"

#include <string>

namespace slipway::deploy {

// The address of a colour on the private bridge.
std::string address_of(const Config& config, Colour colour);

// The haproxy.cfg in front of these two: one frontend for HTTP, one for each further port of
// either.
std::string haproxy_file(const Config& config, const Services& services);

}  // namespace slipway::deploy
