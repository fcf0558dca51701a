#pragma once

#include "base/error.hpp"
#include "packet_bench/target/scheme.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace slipway::bench {

// Whether it is one of the methods that are sent.
bool is_method(std::string_view word);

// A request a line, "WEIGHT METHOD PATH", as in "3 GET /price?pair=XRP-USD"; empty lines and those
// that begin with # say nothing. Errors (`usage`) name the line.
Result<std::vector<HttpRequest::Part>> read_requests(const std::filesystem::path& file);

}  // namespace slipway::bench
