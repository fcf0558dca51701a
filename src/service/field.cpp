#include "service/field.hpp"

#include "base/units.hpp"

#include <algorithm>
#include <cmath>
#include <regex>

#include <fmt/format.h>

namespace slipway::service {
namespace {

constexpr std::size_t longest_text = 2000;
constexpr std::size_t most_items = 64;
// Up to 1,000,000 seconds, as parse_duration() takes them and format_duration() writes them.
constexpr std::string_view duration_pattern =
    R"(^([0-9]{1,9}(\.[0-9]{1,3})?us|[0-9]{1,8}(\.[0-9]{1,6})?ms|[0-9]{1,6}(\.[0-9]{1,9})?s|1000000s|)"
    R"(([0-9]{1,4}|1[0-5][0-9]{3}|16[0-5][0-9]{2}|166[0-5][0-9]|1666[0-6])m|)"
    R"(([0-9]{1,2}|1[0-9]{2}|2[0-6][0-9]|27[0-7])h)$)";
constexpr std::string_view share_pattern = R"(^([0-9]{1,2}(\.[0-9]{1,4})?|100)%$)";

Complaints wrong(std::string what, std::string pointer = "") {
  return {{std::move(pointer), std::move(what)}};
}

// A value as it is quoted back: short and on one line.
std::string shown(const Json& value) {
  std::string text = to_text(value);
  if (text.size() > 60) {
    text.resize(57);
    text += "...";
  }
  return text;
}

bool has_shape(const std::string& text, Shape shape) {
  return text.size() <= longest_text &&
         std::regex_search(text, std::regex(shape.pattern.begin(), shape.pattern.end()));
}

Json schema_of(Shape shape) {
  return {{"type", "string"}, {"pattern", shape.pattern}, {"maxLength", longest_text}};
}

Complaints must_be(const Json& value, std::string_view words, std::string pointer = "") {
  return wrong(fmt::format("{} is not {}", shown(value), words), std::move(pointer));
}

bool fits(const Json& value, Shape shape) {
  return value.is_string() && has_shape(value.get<std::string>(), shape);
}

std::string between(long long lowest, long long highest) {
  return fmt::format("an integer from {} to {}", lowest, highest);
}

// To JSON Schema 2.0 is an integer.
bool is_within(const Json& value, long long lowest, long long highest) {
  if (!value.is_number()) return false;
  const double number = value.get<double>();
  return number == std::floor(number) && number >= static_cast<double>(lowest) &&
         number <= static_cast<double>(highest);
}

template <typename Integer>
Field integer_of(std::string name, std::string description, Integer& value, long long lowest,
                 long long highest) {
  return {std::move(name),
          std::move(description),
          {{"type", "integer"}, {"minimum", lowest}, {"maximum", highest}},
          [&value, lowest, highest](const Json& given) -> Complaints {
            if (!is_within(given, lowest, highest)) {
              return must_be(given, between(lowest, highest));
            }
            value = static_cast<Integer>(given.get<long long>());
            return {};
          },
          [&value] { return Json(value); }};
}

template <typename Integer>
Field integers_of(std::string name, std::string description, std::vector<Integer>& value,
                  long long lowest, long long highest) {
  return {std::move(name),
          std::move(description),
          {{"type", "array"},
           {"items", {{"type", "integer"}, {"minimum", lowest}, {"maximum", highest}}},
           {"uniqueItems", true},
           {"maxItems", most_items}},
          [&value, lowest, highest](const Json& given) -> Complaints {
            if (!given.is_array()) return must_be(given, "a list: [1, 2]");
            if (given.size() > most_items)
              return wrong(fmt::format("has over {} items", most_items));
            value.clear();
            for (const Json& item : given) {
              const std::string pointer = fmt::format("/{}", value.size());
              if (!is_within(item, lowest, highest)) {
                return must_be(item, between(lowest, highest), pointer);
              }
              const auto number = static_cast<Integer>(item.get<long long>());
              if (std::find(value.begin(), value.end(), number) != value.end()) {
                return wrong(fmt::format("{} stands twice", number), pointer);
              }
              value.push_back(number);
            }
            return {};
          },
          [&value] { return value.empty() ? Json() : Json(value); }};
}

// Reads the entries of a mapping one by one: `take` says what is wrong with one, or nothing.
Complaints each_entry(const Json& given, Shape key_shape,
                      const std::function<Complaints(const std::string&, const Json&)>& take) {
  if (!given.is_object()) return must_be(given, "a mapping of names to values");
  if (given.size() > most_items) return wrong(fmt::format("has over {} entries", most_items));
  Complaints complaints;
  for (const auto& [key, item] : given.items()) {
    const std::string pointer = pointer_to(key);
    if (!has_shape(key, key_shape)) {
      complaints.push_back({pointer, fmt::format("'{}' is not {}", key, key_shape.words)});
      continue;
    }
    for (Complaint& complaint : take(key, item)) {
      complaint.pointer = pointer + complaint.pointer;
      complaints.push_back(std::move(complaint));
    }
  }
  return complaints;
}

Json mapping_schema(Shape key, Json item) {
  return {{"type", "object"},
          {"propertyNames", {{"pattern", key.pattern}, {"maxLength", longest_text}}},
          {"additionalProperties", std::move(item)},
          {"maxProperties", most_items}};
}

}  // namespace

Field text(std::string name, std::string description, std::string& value, Shape shape) {
  return {std::move(name), std::move(description), schema_of(shape),
          [&value, shape](const Json& given) -> Complaints {
            if (!fits(given, shape)) return must_be(given, shape.words);
            value = given.get<std::string>();
            return {};
          },
          [&value] { return value.empty() ? Json() : Json(value); }};
}

Field integer(std::string name, std::string description, int& value, int lowest, int highest) {
  return integer_of(std::move(name), std::move(description), value, lowest, highest);
}

Field integer(std::string name, std::string description, std::uint64_t& value, int lowest,
              int highest) {
  return integer_of(std::move(name), std::move(description), value, lowest, highest);
}

Field port(std::string name, std::string description, std::uint16_t& value) {
  return integer_of(std::move(name), std::move(description), value, 1, 65535);
}

Field ports(std::string name, std::string description, std::vector<std::uint16_t>& value) {
  return integers_of(std::move(name), std::move(description), value, 1, 65535);
}

Field integers(std::string name, std::string description, std::vector<int>& value, int lowest,
               int highest) {
  return integers_of(std::move(name), std::move(description), value, lowest, highest);
}

Field number(std::string name, std::string description, double& value, double lowest,
             double highest) {
  return {std::move(name),
          std::move(description),
          {{"type", "number"}, {"minimum", lowest}, {"maximum", highest}},
          [&value, lowest, highest](const Json& given) -> Complaints {
            if (!given.is_number() || !(given.get<double>() >= lowest) ||
                given.get<double>() > highest) {
              return must_be(given, fmt::format("a number from {} to {}", lowest, highest));
            }
            value = given.get<double>();
            return {};
          },
          [&value] { return value == 0 ? Json() : Json(value); }};
}

Field share(std::string name, std::string description, double& value) {
  const Shape shape{share_pattern, "a share such as 1.5%"};
  return {std::move(name), std::move(description), schema_of(shape),
          [&value, shape](const Json& given) -> Complaints {
            if (!fits(given, shape)) return must_be(given, shape.words);
            // By rounding, so that it is written again as it was read.
            value = std::round(std::stod(given.get<std::string>()) * 1e4) / 1e6;
            return {};
          },
          [&value] { return Json(fmt::format("{:.6g}%", value * 100)); }};
}

Field duration(std::string name, std::string description, std::chrono::nanoseconds& value) {
  const Shape shape{duration_pattern, "a duration such as 500ms, 10s or 2m"};
  return {std::move(name), std::move(description), schema_of(shape),
          [&value, shape](const Json& given) -> Complaints {
            if (!fits(given, shape)) return must_be(given, shape.words);
            auto parsed = parse_duration(given.get<std::string>());
            if (!parsed) return wrong(parsed.error().what);
            value = *parsed;
            return {};
          },
          [&value] { return Json(format_duration(value)); }};
}

Field choice(std::string name, std::string description, std::string& value,
             std::vector<std::string> words) {
  return {std::move(name),
          std::move(description),
          {{"enum", words}},
          [&value, words](const Json& given) -> Complaints {
            const bool known =
                given.is_string() &&
                std::find(words.begin(), words.end(), given.get<std::string>()) != words.end();
            if (!known) return must_be(given, fmt::format("one of: {}", fmt::join(words, ", ")));
            value = given.get<std::string>();
            return {};
          },
          [&value] { return Json(value); }};
}

Field choice(std::string name, std::string description, bool& value, std::string_view no,
             std::string_view yes) {
  const std::vector<std::string> words{std::string(no), std::string(yes)};
  return {std::move(name),
          std::move(description),
          {{"enum", words}},
          [&value, words](const Json& given) -> Complaints {
            if (given != words[0] && given != words[1]) {
              return must_be(given, fmt::format("one of: {}", fmt::join(words, ", ")));
            }
            value = given == words[1];
            return {};
          },
          [&value, words] { return Json(words[value ? 1 : 0]); }};
}

Field words(std::string name, std::string description, std::vector<std::string>& value,
            Shape shape) {
  return {std::move(name),
          std::move(description),
          {{"type", "array"}, {"items", schema_of(shape)}, {"maxItems", most_items}},
          [&value, shape](const Json& given) -> Complaints {
            if (!given.is_array()) return must_be(given, "a list: [one, two]");
            if (given.size() > most_items)
              return wrong(fmt::format("has over {} items", most_items));
            value.clear();
            for (const Json& item : given) {
              if (!fits(item, shape)) {
                return must_be(item, shape.words, fmt::format("/{}", value.size()));
              }
              value.push_back(item.get<std::string>());
            }
            return {};
          },
          [&value] { return value.empty() ? Json() : Json(value); }};
}

Field mapping(std::string name, std::string description, std::map<std::string, std::string>& value,
              Shape key, Shape item) {
  return {std::move(name), std::move(description), mapping_schema(key, schema_of(item)),
          [&value, key, item](const Json& given) {
            value.clear();
            return each_entry(given, key, [&](const std::string& entry, const Json& entry_value) {
              if (!fits(entry_value, item)) return must_be(entry_value, item.words);
              value[entry] = entry_value.get<std::string>();
              return Complaints{};
            });
          },
          [&value] { return value.empty() ? Json() : Json(value); }};
}

Field environment(std::string name, std::string description,
                  std::map<std::string, std::string>& value) {
  const Shape key{R"(^(?!SLIPWAY_)[A-Za-z_][A-Za-z0-9_]*$)",
                  "a variable's name (letters, digits, _; SLIPWAY_ is ours)"};
  const Json item{{"type", {"string", "integer", "boolean"}}, {"maxLength", longest_text}};
  return {std::move(name), std::move(description), mapping_schema(key, item),
          [&value, key](const Json& given) {
            value.clear();
            return each_entry(given, key, [&](const std::string& entry, const Json& entry_value) {
              const bool is_text =
                  entry_value.is_string() && entry_value.get<std::string>().size() <= longest_text;
              if (!is_text && !entry_value.is_number_integer() && !entry_value.is_boolean()) {
                return must_be(entry_value, "a text, an integer or a truth value; use quotes");
              }
              value[entry] = is_text ? entry_value.get<std::string>() : to_text(entry_value);
              return Complaints{};
            });
          },
          [&value] { return value.empty() ? Json() : Json(value); }};
}

Field single(std::string name, std::string description,
             std::optional<std::pair<std::string, std::string>>& value, Shape key, Shape item,
             bool any_json) {
  Json schema = mapping_schema(key, any_json ? Json(true) : schema_of(item));
  schema["minProperties"] = 1;
  schema["maxProperties"] = 1;
  return {std::move(name), std::move(description), std::move(schema),
          [&value, key, item, any_json](const Json& given) {
            if (given.is_object() && given.size() != 1) return wrong("must have one entry");
            return each_entry(given, key, [&](const std::string& entry, const Json& entry_value) {
              if (!any_json && !fits(entry_value, item)) return must_be(entry_value, item.words);
              value.emplace(entry,
                            any_json ? to_text(entry_value) : entry_value.get<std::string>());
              return Complaints{};
            });
          },
          [&value, any_json] {
            if (!value) return Json();
            return Json{{value->first, any_json ? parse_json(value->second) : Json(value->second)}};
          }};
}

Field selector(std::string name, std::string description,
               std::optional<net::MetricSelector>& value) {
  const Shape shape{
      R"(^[A-Za-z_:][A-Za-z0-9_:]*(\{[A-Za-z_][A-Za-z0-9_]*="[^"\\]*"(,[A-Za-z_][A-Za-z0-9_]*="[^"\\]*")*\})?$)",
      "a metric's name, with labels if need be: name{label=\"value\"}"};
  return {std::move(name), std::move(description), schema_of(shape),
          [&value, shape](const Json& given) -> Complaints {
            if (!fits(given, shape)) return must_be(given, shape.words);
            value = net::parse_selector(given.get<std::string>());
            return value ? Complaints{} : must_be(given, shape.words);
          },
          [&value] { return value ? Json(net::to_string(*value)) : Json(); }};
}

Rule needs(std::string key, std::vector<std::string> others) {
  return {{{"dependentRequired", {{key, others}}}}, [key, others](const Json& given) {
            Complaints complaints;
            for (const std::string& other : others) {
              if (!given.contains(key) || given.contains(other)) continue;
              complaints.push_back(
                  {pointer_to(key), fmt::format("'{}' needs '{}' beside it", key, other), true});
            }
            return complaints;
          }};
}

}  // namespace slipway::service
