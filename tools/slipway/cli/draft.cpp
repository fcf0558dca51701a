#include "slipway/cli/draft.hpp"

#include "service/document.hpp"

#include <charconv>
#include <regex>
#include <sstream>

#include <fmt/core.h>

namespace slipway::front {
namespace {

// Instructions with their continued lines as one, without comments.
std::vector<std::string> instructions_of(std::string_view dockerfile) {
  std::vector<std::string> instructions;
  std::string current;
  std::istringstream lines{std::string(dockerfile)};
  for (std::string line; std::getline(lines, line);) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const bool goes_on = line.ends_with('\\');
    current += line.substr(begin, line.size() - begin - (goes_on ? 1 : 0));
    if (goes_on) continue;
    instructions.push_back(std::move(current));
    current.clear();
  }
  return instructions;
}

std::optional<std::uint16_t> port_of(const std::string& text) {
  unsigned number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const bool is_port =
      failed == std::errc{} && number >= 1 && number <= 65535 && (rest.empty() || rest == "/tcp");
  return is_port ? std::optional(static_cast<std::uint16_t>(number)) : std::nullopt;
}

}  // namespace

DockerfileFacts facts_of(std::string_view dockerfile) {
  static const std::regex url(R"(https?://[A-Za-z0-9.\[\]:-]+(/[^\s"',|\]]*))");
  DockerfileFacts facts;
  for (const std::string& instruction : instructions_of(dockerfile)) {
    std::istringstream words(instruction);
    std::string name, word;
    words >> name;
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    if (name == "EXPOSE") {
      while (!facts.port && words >> word) facts.port = port_of(word);
    }
    std::smatch found;
    if (name == "HEALTHCHECK" && std::regex_search(instruction, found, url)) {
      facts.health = found[1].str();
    }
    if (name == "ARG" && words >> word && word.substr(0, word.find('=')) == "REVISION") {
      facts.takes_revision = true;
    }
  }
  return facts;
}

namespace {

// YAML takes 2048, on and null for something else than a text.
std::string as_text(const std::string& name) {
  const auto read = service::parse_yaml(name, "");
  return read && read->value.is_string() ? name : fmt::format("'{}'", name);
}

}  // namespace

std::string draft_of(const service::Defaults& defaults, const DockerfileFacts& facts) {
  std::string draft = fmt::format("service: {}\n", as_text(defaults.name));
  if (facts.port && *facts.port != 8080) draft += fmt::format("port: {}\n", *facts.port);
  if (!facts.health.empty()) {
    draft += fmt::format("health: {}\n", facts.health);
  } else {
    draft += "# health: /health   # answers 200 while the service lives\n";
  }
  if (!facts.takes_revision) {
    draft +=
        "# The health answer shows releaseId, the build argument REVISION. An image that cannot\n"
        "# say it is proven by its digest instead:\n"
        "version: digest\n";
  }
  draft +=
      "# gate:\n"
      "#   request: GET /   # what a user of it asks\n"
      "#   rate: 2000       # requests per second that it must do\n";
  return draft;
}

}  // namespace slipway::front
