#include "service/schema.hpp"

#include "service/fields.hpp"

#include <vector>

#include <fmt/core.h>

namespace slipway::service {

namespace {

void add_rows(std::string& table, const std::vector<Field>& fields, const std::string& prefix) {
  for (const Field& field : fields) {
    const std::string key = prefix + field.name;
    if (!field.fields.empty()) {
      table += fmt::format("| `{}` | | {} |\n", key, field.description);
      add_rows(table, field.fields, key + ".");
      continue;
    }
    const Json value = field.write();
    const std::string shown =
        value.is_null()
            ? std::string()
            : fmt::format("`{}`", value.is_string() ? value.get<std::string>() : to_text(value));
    table += fmt::format("| `{}` | {} | {} |\n", key, shown, field.description);
  }
}

}  // namespace

std::string keys_as_markdown() {
  Service service;
  std::string table = "| key | default | meaning |\n|---|---|---|\n";
  add_rows(table, fields_of(service).fields, "");
  return table;
}

Json schema() {
  Service service;
  const Field root = fields_of(service);
  Json document = root.schema;
  document["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  document["title"] = root.name;
  document["description"] = root.description;
  return document;
}

}  // namespace slipway::service
