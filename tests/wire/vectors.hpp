#pragma once

#include "base/durable_file.hpp"
#include "base/json.hpp"

#include <stdexcept>
#include <string>

namespace slipway::test {

// A vector file of this folder, made with ilp-packet 3.1.3 and btp-packet 2.2.1.
inline nlohmann::json load_vectors(const std::string& name) {
  const auto file = read_file(std::string(WIRE_VECTORS) + "/" + name, std::size_t{1} << 20);
  if (!file) throw std::runtime_error(file.error().text());
  return parse_json(*file);
}

// Those of one kind: a copy, for a reference into a temporary would not outlive a loop's head.
inline nlohmann::json load_vectors(const std::string& name, const std::string& kind) {
  return load_vectors(name).at(kind);
}

}  // namespace slipway::test
