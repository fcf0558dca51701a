#include "base/grouped_help.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

namespace slipway {
namespace {

constexpr std::size_t width = 80;
constexpr std::size_t text_column = 28;

// "name  text", the text broken at blanks and indented to its column.
std::string entry(const std::string& name, std::string_view text) {
  std::string lines;
  std::string line = fmt::format("  {:<{}}  ", name, text_column - 4);
  for (bool first = true; !text.empty(); first = false) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!first && line.size() + 1 + word.size() > width) {
      lines += line + "\n";
      line.assign(text_column, ' ');
    } else if (!first) {
      line += ' ';
    }
    line += word;
  }
  return lines + line + "\n";
}

// As it is typed: "--rate N".
std::string typed(const CLI::Option& option) {
  std::string text = option.get_name(option.get_positional(), true);
  if (option.get_type_size() != 0 && !option.get_positional()) text += " " + option.get_type_name();
  return text;
}

std::string options_of(const std::vector<const CLI::Option*>& options) {
  std::string lines;
  for (auto option = options.begin(); option != options.end();) {
    std::string text = (*option)->get_description();
    const auto next = std::find_if(option, options.end(), [&](const CLI::Option* other) {
      return other->get_description() != text;
    });
    std::string names;
    std::string defaults;
    for (; option != next; ++option) {
      names += (names.empty() ? "" : ", ") + typed(**option);
      const std::string value = (*option)->get_default_str();
      if (!value.empty()) defaults += (defaults.empty() ? "" : ", ") + value;
      const std::string variable = (*option)->get_envname();
      if (!variable.empty()) text += fmt::format(" (${})", variable);
    }
    if (!defaults.empty()) text += fmt::format(" [{}]", defaults);
    lines += entry(names, text);
  }
  return lines;
}

std::string usage_of(const CLI::App& command, const std::string& name) {
  std::string line = "Usage: " + name;
  std::string optional = " [FLAGS]";
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_required()) line += " " + typed(*option);
    if (option->get_positional()) optional += fmt::format(" [{}]", option->get_name(true));
  }
  if (!command.get_subcommands({}).empty()) optional = " COMMAND [FLAGS]";
  return line + optional + "\n";
}

}  // namespace

std::string grouped_help(const CLI::App& command, const std::string& name,
                         const std::string& exit_statuses) {
  std::string text = usage_of(command, name) + command.get_description() + "\n";
  for (const std::string& group : command.get_groups()) {
    const auto options = command.get_options([&](const CLI::Option* option) {
      return !group.empty() && option->get_group() == group && !option->get_description().empty();
    });
    if (!options.empty()) text += group + ":\n" + options_of(options);
  }
  const auto commands = command.get_subcommands({});
  if (!commands.empty()) text += "Commands, each with a --help of its own:\n";
  for (const CLI::App* each : commands) text += entry(each->get_name(), each->get_description());
  return text + exit_statuses + command.get_footer() + "\n";
}

}  // namespace slipway
