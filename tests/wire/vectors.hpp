#pragma once

#include <fstream>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

namespace slipway::test {

// A vector file of this folder, made with ilp-packet 3.1.3 and btp-packet 2.2.1.
inline nlohmann::json load_vectors(const std::string& name) {
  std::ifstream file(std::string(WIRE_VECTORS) + "/" + name);
  if (!file) throw std::runtime_error("no vector file " + name);
  return nlohmann::json::parse(file);
}

// Those of one kind: a copy, for a reference into a temporary would not outlive a loop's head.
inline nlohmann::json load_vectors(const std::string& name, const std::string& kind) {
  return load_vectors(name).at(kind);
}

}  // namespace slipway::test
