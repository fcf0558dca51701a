#include "service/field.hpp"
#include "service/nearest.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace slipway::service {
namespace {

void add_below(Complaints& all, const std::string& key, Complaints more) {
  for (Complaint& complaint : more) {
    complaint.pointer = pointer_to(key) + complaint.pointer;
    all.push_back(std::move(complaint));
  }
}

std::string unknown(const std::string& key, const std::vector<Field>& fields) {
  std::vector<std::string> known;
  for (const Field& field : fields) known.push_back(field.name);
  const std::string meant = nearest(key, known);
  if (!meant.empty()) return fmt::format("unknown key '{}'; did you mean '{}'?", key, meant);
  return fmt::format("unknown key '{}'; known here: {}", key, fmt::join(known, ", "));
}

Complaints read_section(const Json& given, const std::vector<Field>& fields,
                        const std::vector<Rule>& rules) {
  if (!given.is_object()) {
    return {{"", given.is_null() ? "nothing stands here; a mapping of keys to values must"
                                 : "it is not a mapping of keys to values"}};
  }
  Complaints complaints;
  for (const auto& [key, value] : given.items()) {
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&name = key](const Field& one) { return one.name == name; });
    add_below(
        complaints, key,
        field == fields.end() ? Complaints{{"", unknown(key, fields), true}} : field->read(value));
  }
  // What is between keys is looked at where each of them is right.
  for (const Rule& rule : rules) {
    if (!complaints.empty()) break;
    complaints = rule.check(given);
  }
  return complaints;
}

Json schema_of_section(const std::vector<Field>& fields, const std::vector<Rule>& rules) {
  Json schema{{"type", "object"}, {"additionalProperties", false}};
  for (const Field& field : fields) {
    Json one = field.schema;
    one["description"] = field.description;
    schema["properties"][field.name] = std::move(one);
  }
  for (const Rule& rule : rules) {
    if (!rule.schema.empty()) schema["allOf"].push_back(rule.schema);
  }
  return schema;
}

}  // namespace

Field section(std::string name, std::string description, std::vector<Field> fields,
              std::vector<Rule> rules) {
  Json schema = schema_of_section(fields, rules);
  return {std::move(name),
          std::move(description),
          std::move(schema),
          [fields, rules = std::move(rules)](const Json& given) {
            return read_section(given, fields, rules);
          },
          [fields] {
            Json written = Json::object();
            for (const Field& field : fields) {
              if (Json value = field.write(); !value.is_null()) written[field.name] = value;
            }
            return written.empty() ? Json() : written;
          },
          std::move(fields)};
}

Field unwritten(Field field, std::function<bool()> is_default) {
  field.write = [write = std::move(field.write), is_default = std::move(is_default)] {
    return is_default() ? Json() : write();
  };
  return field;
}

}  // namespace slipway::service
