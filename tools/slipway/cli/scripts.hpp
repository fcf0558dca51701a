#pragma once

#include <string>
#include <vector>

// The commands whose work is done by scripts. Each becomes its script, with the arguments that are
// given; it returns only where that cannot be found or started: exit status 2.
namespace slipway::front {

int rehearse(const std::vector<std::string>& arguments);
int setup(const std::vector<std::string>& arguments);

}  // namespace slipway::front
