#pragma once

// The kinds of values that slipway.yml has. A kind knows its JSON Schema and how to read a value,
// so that the published schema and the reader are made from one table (fields.hpp).

#include "base/json.hpp"
#include "net/prometheus_text.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::service {

// A part that is wrong: where, relative to the field ("" is the field itself), and why.
struct Complaint {
  std::string pointer;
  std::string what;
  bool of_key = false;  // about the key itself, not its value
};

using Complaints = std::vector<Complaint>;

// What must hold between the keys of a section.
struct Rule {
  Json schema;  // as keywords of its JSON Schema; empty where that language cannot say it
  std::function<Complaints(const Json&)> check;
};

// A key. One with `fields` is a section of its own.
struct Field {
  std::string name;
  std::string description;
  Json schema;
  std::function<Complaints(const Json&)> read;  // takes the value over; what is wrong with it
  std::function<Json()> write;                  // null: it need not be written
  std::vector<Field> fields = {};
};

// What a text must look like: an ECMAScript expression for the whole of it, and what that means to
// people: "a path that begins with /".
struct Shape {
  std::string_view pattern;
  std::string_view words;
};

Field text(std::string name, std::string description, std::string& value, Shape shape);
Field integer(std::string name, std::string description, int& value, int lowest, int highest);
Field integer(std::string name, std::string description, std::uint64_t& value, int lowest,
              int highest);
Field port(std::string name, std::string description, std::uint16_t& value);
Field ports(std::string name, std::string description, std::vector<std::uint16_t>& value);
Field integers(std::string name, std::string description, std::vector<int>& value, int lowest,
               int highest);
// `above`: the value must be greater than it. Nothing is written of a zero.
Field number(std::string name, std::string description, double& value, double lowest,
             double highest);
// "1.5%" as 0.015.
Field share(std::string name, std::string description, double& value);
// "250ms", "10s": below 27 days; see base/units.hpp.
Field duration(std::string name, std::string description, std::chrono::nanoseconds& value);
// One of some words, in their order the values false and true.
Field choice(std::string name, std::string description, bool& value, std::string_view no,
             std::string_view yes);
Field choice(std::string name, std::string description, std::string& value,
             std::vector<std::string> words);
Field words(std::string name, std::string description, std::vector<std::string>& value,
            Shape shape);
Field mapping(std::string name, std::string description, std::map<std::string, std::string>& value,
              Shape key, Shape item);
// The same, whose values may also be integers and truth values.
Field environment(std::string name, std::string description,
                  std::map<std::string, std::string>& value);
// A mapping with one entry; `any_json`: of any value, kept as JSON text.
Field single(std::string name, std::string description,
             std::optional<std::pair<std::string, std::string>>& value, Shape key, Shape item,
             bool any_json = false);
Field selector(std::string name, std::string description,
               std::optional<net::MetricSelector>& value);
Field section(std::string name, std::string description, std::vector<Field> fields,
              std::vector<Rule> rules = {});

// The same, only that nothing is written of it while `is_default`: what was published before this
// key was known has no need of it.
Field unwritten(Field field, std::function<bool()> is_default);

// Where one key is written, others must be.
Rule needs(std::string key, std::vector<std::string> others);

}  // namespace slipway::service
