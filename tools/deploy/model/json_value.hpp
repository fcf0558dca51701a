#pragma once

// JSON read and written where a few fields matter. The library itself costs seconds in each file
// that includes it.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace slipway::deploy {

// A value in a document, or nothing: what is not there, or of another kind, reads as an empty one.
// A copy shares the document.
class JsonValue {
 public:
  JsonValue();
  // Nothing where the text is no JSON.
  static JsonValue parse(std::string_view text);

  JsonValue at(std::initializer_list<std::string_view> path) const;
  std::string text() const;   // of a string
  long long integer() const;  // of a number
  bool is_true() const;
  bool is_object() const;
  bool is_string() const;
  std::vector<JsonValue> items() const;                            // of an array
  std::vector<std::pair<std::string, JsonValue>> members() const;  // of an object

 private:
  JsonValue(std::shared_ptr<const nlohmann::json> document, const nlohmann::json* here);

  std::shared_ptr<const nlohmann::json> document_;
  const nlohmann::json* here_;
};

// A string as JSON; bytes that are not UTF-8 are replaced.
std::string json_string(std::string_view text);
// An array of strings as JSON.
std::string json_strings(const std::vector<std::string>& texts);
// An object of members whose values are JSON already, in the order given.
std::string json_object(const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace slipway::deploy
