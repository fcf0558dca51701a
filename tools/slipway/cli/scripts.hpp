#pragma once

#include <string>
#include <vector>

// The commands whose work is done by a script or by another of our executables. Each becomes that,
// with the arguments that are given; it returns only where that cannot be found or started: exit
// status 2.
namespace slipway::front {

// The duet of two images, by slipway.yml: packet_bench has its flags and exit statuses.
int gate(const std::vector<std::string>& arguments);
int rehearse(const std::vector<std::string>& arguments);
int setup(const std::vector<std::string>& arguments);

}  // namespace slipway::front
