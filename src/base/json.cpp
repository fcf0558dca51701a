#include "base/json.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace slipway {

Json parse_json(std::string_view text, bool with_comments) {
  return Json::parse(text, nullptr, false, with_comments);
}

namespace {

// "line 3, column 12" of the byte with that number, the first being 1.
std::string place_of(std::size_t byte, std::string_view text) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_break = before.rfind('\n');
  const std::size_t column =
      line_break == std::string_view::npos ? before.size() : before.size() - line_break - 1;
  return fmt::format("line {}, column {}", lines + 1, column + 1);
}

}  // namespace

Json parse_json(std::string_view text, std::string& why) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    // Its what() shows what was read last, which may be a secret.
    const std::string place = place_of(error.byte, text);
    why = error.byte > text.size() ? "it ends too early, at " + place
                                   : "what is at " + place + " cannot be there";
  } catch (const Json::exception&) {
    why = "it has a number that is too large";
  }
  return Json(Json::value_t::discarded);
}

std::string to_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string pointer_to(const std::string& key) {
  return (Json::json_pointer() / key).to_string();
}

}  // namespace slipway
