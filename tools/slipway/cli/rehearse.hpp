#pragma once

#include <string>
#include <vector>

namespace slipway::front {

// `slipway rehearse`: becomes the rehearsal, which is Python's, with these arguments. Returns only
// where it cannot be found or started: exit status 2.
int rehearse(const std::vector<std::string>& arguments);

}  // namespace slipway::front
