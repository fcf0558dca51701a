#pragma once

#include "deploy/run/ports.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace slipway::deploy {

// Waits until the colour's health shows the role, as an instance of `release`: active is ready,
// too, and of a service without roles that is all. Returns what is wrong, or nothing; one that ends
// or is restarted meanwhile is wrong at once.
std::optional<std::string> wait_for_role(Ports& ports, Colour colour, const Release& release,
                                         Role role, std::chrono::nanoseconds deadline,
                                         std::stop_token stop);

}  // namespace slipway::deploy
