#include "deploy/model/json_value.hpp"

#include "base/json.hpp"

namespace slipway::deploy {

JsonValue::JsonValue() : JsonValue(std::make_shared<const Json>(), nullptr) {}

JsonValue::JsonValue(std::shared_ptr<const Json> document, const Json* here)
    : document_(std::move(document)), here_(here == nullptr ? document_.get() : here) {}

JsonValue JsonValue::parse(std::string_view text) {
  return {std::make_shared<const Json>(parse_json(text)), nullptr};
}

JsonValue JsonValue::at(std::initializer_list<std::string_view> path) const {
  const Json* here = here_;
  for (const std::string_view field : path) {
    if (!here->is_object()) return {};
    const auto found = here->find(field);
    if (found == here->end()) return {};
    here = &*found;
  }
  return {document_, here};
}

std::string JsonValue::text() const {
  return is_string() ? here_->get<std::string>() : std::string();
}

long long JsonValue::integer() const {
  return here_->is_number_integer() ? here_->get<long long>() : 0;
}

bool JsonValue::is_true() const {
  return here_->is_boolean() && here_->get<bool>();
}

bool JsonValue::is_object() const {
  return here_->is_object();
}

bool JsonValue::is_string() const {
  return here_->is_string();
}

std::vector<JsonValue> JsonValue::items() const {
  std::vector<JsonValue> items;
  if (!here_->is_array()) return items;
  for (const Json& item : *here_) items.push_back({document_, &item});
  return items;
}

std::vector<std::pair<std::string, JsonValue>> JsonValue::members() const {
  std::vector<std::pair<std::string, JsonValue>> members;
  if (!is_object()) return members;
  for (const auto& [name, value] : here_->items()) {
    members.emplace_back(name, JsonValue(document_, &value));
  }
  return members;
}

std::string json_string(std::string_view text) {
  return to_text(Json(text));
}

std::string json_strings(const std::vector<std::string>& texts) {
  return to_text(Json(texts));
}

std::string json_object(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string text = "{";
  for (const auto& [name, value] : members) {
    if (text.size() > 1) text += ",";
    text += json_string(name) + ":" + value;
  }
  return text + "}";
}

}  // namespace slipway::deploy
