#include "deploy/state/secrets.hpp"

#include "base/durable_file.hpp"
#include "deploy/model/json_value.hpp"
#include "deploy/state/environment_file.hpp"

namespace slipway::deploy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t shortest_secret = 4;
constexpr std::size_t largest_file = std::size_t{1} << 20;

std::string_view unquoted(std::string_view value) {
  while (!value.empty() && (value.back() == '\r' || value.back() == ' ')) value.remove_suffix(1);
  const bool quoted = value.size() >= 2 && value.front() == value.back() &&
                      (value.front() == '"' || value.front() == '\'');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

// Of a value of several lines each is a secret.
void add_lines(std::vector<std::string>& secrets, std::string_view value) {
  secrets.emplace_back(value);
  for (std::size_t end = value.find('\n'); end != std::string_view::npos; end = value.find('\n')) {
    secrets.emplace_back(value.substr(0, end));
    value.remove_prefix(end + 1);
    if (value.find('\n') == std::string_view::npos) secrets.emplace_back(value);
  }
}

void add_values(std::vector<std::string>& secrets, std::string_view environment) {
  if (const auto values = parse_environment(environment)) {
    for (const auto& [name, value] : *values) add_lines(secrets, value);
  }
  // And as other programs would read it, whose messages quote it.
  while (!environment.empty()) {
    const std::size_t end = environment.find('\n');
    const std::string_view line = environment.substr(0, end);
    environment.remove_prefix(end == std::string_view::npos ? environment.size() : end + 1);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.front() == '#') continue;
    secrets.emplace_back(unquoted(line.substr(equals + 1)));
  }
}

void add_tokens(std::vector<std::string>& secrets, const JsonValue& document) {
  for (const JsonValue& item : document.items()) add_tokens(secrets, item);
  for (const auto& [name, value] : document.members()) {
    add_tokens(secrets, value);
    if (value.is_string() && name == "token") secrets.push_back(value.text());
  }
  if (document.is_string()) {
    const std::string content = document.text();
    const std::size_t begin = content.find("://");
    const std::size_t end = content.find('@', begin);
    if (begin == std::string::npos || end == std::string::npos) return;
    const std::size_t colon = content.find(':', begin + 3);
    const std::size_t from = colon < end ? colon + 1 : begin + 3;
    secrets.push_back(content.substr(from, end - from));
  }
}

std::vector<std::string> long_enough(std::vector<std::string> secrets) {
  std::erase_if(secrets, [](const auto& secret) { return secret.size() < shortest_secret; });
  return secrets;
}

}  // namespace

std::vector<std::string> secrets_of(const fs::path& environment_file,
                                    const fs::path& config_directory) {
  std::vector<std::string> secrets;
  if (auto environment = read_file(environment_file, largest_file)) {
    add_values(secrets, *environment);
  }
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(config_directory, failed), end;
       !failed && entry != end; entry.increment(failed)) {
    if (!entry->is_regular_file()) continue;
    const auto content = read_file(entry->path(), largest_file);
    if (content) add_tokens(secrets, JsonValue::parse(*content));
  }
  return long_enough(std::move(secrets));
}

std::vector<std::string> secrets_in(const std::vector<std::string>& values,
                                    const std::vector<std::string>& contents) {
  std::vector<std::string> secrets;
  for (const std::string& value : values) add_lines(secrets, value);
  for (const std::string& content : contents) add_tokens(secrets, JsonValue::parse(content));
  return long_enough(std::move(secrets));
}

}  // namespace slipway::deploy
