#pragma once

#include "deploy/state/config.hpp"

#include <map>
#include <string>
#include <string_view>

namespace slipway::deploy {

// What the host's configuration says of HAProxy itself, which is settled when HAProxy is made: by
// the field's name, as text that can be compared. The ports of the services are not among it: the
// running one is asked for those.
using Making = std::map<std::string, std::string>;

Making making_of(const Config& config);

// As it is kept; and what earlier tools kept, the hash of the own haproxyConfig alone. What is not
// in it is not known.
std::string to_json_text(const Making& making);
Making parse_making(std::string_view text);

// "haproxyImage (haproxy:3.0, made with haproxy:2.8), ports (...)": what is known of `made` and is
// another now; empty where nothing is.
std::string differences(const Making& made, const Making& now);

}  // namespace slipway::deploy
