#include "deploy/docker/docker_answer.hpp"

#include <nlohmann/json.hpp>

namespace slipway::deploy {

using nlohmann::json;

const json& at(const json& document, std::initializer_list<const char*> path) {
  static const json null;
  const json* here = &document;
  for (const char* field : path) {
    if (!here->is_object() || !here->contains(field)) return null;
    here = &(*here)[field];
  }
  return *here;
}

std::string text(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string label(std::string_view name) {
  return "io.slipway." + std::string(name);
}

std::string label_of(const json& labels, std::string_view name) {
  return text(at(labels, {std::string(name).c_str()}));
}

}  // namespace slipway::deploy
