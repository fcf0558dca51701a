#include "deploy/model/image_labels.hpp"

#include "base/foreign_text.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

std::string label(std::string_view name) {
  return fmt::format("io.slipway.{}", name);
}

std::string label_of(const JsonValue& labels, std::string_view name) {
  return labels.at({name}).text();
}

std::string checked(const std::string& text, bool (*is_valid)(std::string_view)) {
  return is_valid(text) ? text : std::string();
}

bool is_snapshot(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_transaction(std::string_view text) {
  return text.size() > 1 && text.size() < 24 && text.front() == 't' &&
         text.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

Release release_of_labels(const JsonValue& labels) {
  // Names, as short as names are; what an image writes there is shown, and kept in the journal.
  const auto name_in = [&](const std::string& of) {
    return foreign_line(label_of(labels, of), 200);
  };
  Release release;
  release.revision = name_in("org.opencontainers.image.revision");
  release.version = name_in("org.opencontainers.image.version");
  release.oldest_return = name_in(label("oldest-return"));
  release.description = label_of(labels, label("service"));
  return release;
}

}  // namespace slipway::deploy
