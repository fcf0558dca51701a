#pragma once

// YAML 1.2 as far as its values are JSON's, and where each of them stands.

#include "base/error.hpp"
#include "base/json.hpp"

#include <map>
#include <string>
#include <string_view>

namespace slipway::service {

// Line and column, both from 1.
struct Mark {
  int line = 1;
  int column = 1;
};

struct Document {
  Json value;
  // By JSON pointer (RFC 6901): where a mapping's key stands, and where the value does.
  std::map<std::string, Mark> keys;
  std::map<std::string, Mark> values;

  Mark key_at(const std::string& pointer) const;
  Mark value_at(const std::string& pointer) const;
};

// "FILE:LINE:COLUMN: what".
std::string at(const std::string& file, Mark mark, const std::string& what);

// One document. Refused, besides what is no YAML: keys that stand twice, tags, and what readers of
// YAML 1.1 and 1.2 take for different values (`on`, `0123`). Errors: usage, with file, line,
// column.
Result<Document> parse_yaml(std::string_view text, const std::string& file);

}  // namespace slipway::service
