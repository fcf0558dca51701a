#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::service {

// Which of these was probably meant: the one with the fewest letters added, left out, replaced or
// swapped with their neighbour (optimal string alignment distance); empty where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace slipway::service
