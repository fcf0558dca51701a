#include "base/json.hpp"

namespace slipway {

Json parse_json(std::string_view text, bool with_comments) {
  return Json::parse(text, nullptr, false, with_comments);
}

Json parse_json(std::string_view text, std::string& why) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    why = error.what();
    return Json(Json::value_t::discarded);
  }
}

std::string to_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string pointer_to(const std::string& key) {
  return (Json::json_pointer() / key).to_string();
}

}  // namespace slipway
