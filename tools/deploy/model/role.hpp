#pragma once

#include <string_view>

namespace slipway::deploy {

// What a running instance of a service with roles is told to be; its health shows it. It starts as
// a standby: ready, but dials no peer.
enum class Role {
  active,   // it serves
  drained,  // not ready; it answers what it accepted and stays up
};

constexpr std::string_view to_string(Role role) {
  return role == Role::active ? "active" : "drained";
}

}  // namespace slipway::deploy
