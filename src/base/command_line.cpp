#include "base/command_line.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

namespace slipway {
namespace {

void print_tagged(std::string_view program, std::string_view tag, std::string_view colour,
                  std::string_view message) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool coloured = ::isatty(STDERR_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
  // Not fmt::print: it throws where stderr is a file on a full disk, and this runs in a catch.
  if (coloured) {
    std::cerr << fmt::format("{}: \x1b[{}m{}:\x1b[0m {}\n", program, colour, tag, message);
  } else {
    std::cerr << fmt::format("{}: {}: {}\n", program, tag, message);
  }
}

// The command that the line went on to: `run` of `packet_bench run`.
const CLI::App& innermost(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : innermost(*commands.front());
}

std::string name_of(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : name_of(*parent) + " " + command.get_name();
}

// What the command does not take, without any value, as that may be a secret; and which of its
// siblings take it.
std::string refusal_of(const CLI::App& command) {
  const auto rest = command.remaining(true);
  const auto is_flag = [](const std::string& text) { return text.starts_with('-'); };
  const auto flag = std::find_if(rest.begin(), rest.end(), is_flag);
  if (flag == rest.end()) {
    const std::string shown = rest.front().substr(0, rest.front().find("://"));
    return fmt::format("{} does not take '{}'", name_of(command), shown);
  }
  const std::string name = flag->substr(0, flag->find('='));
  std::string others;
  const CLI::App* parent = command.get_parent();
  for (const CLI::App* other :
       parent ? parent->get_subcommands({}) : std::vector<const CLI::App*>{}) {
    if (other->get_option_no_throw(name) == nullptr) continue;
    others += (others.empty() ? ", which is for " : ", ") + other->get_name();
  }
  return fmt::format("{} does not take {}{}", name_of(command), name, others);
}

}  // namespace

void print_error(std::string_view program, std::string_view message) {
  print_tagged(program, "error", "1;31", message);
}

void print_warning(std::string_view program, std::string_view message) {
  print_tagged(program, "warning", "1;33", message);
}

std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      app.exit(error, std::cout, std::cerr);
      return exit_ok;
    }
    const CLI::App& command = innermost(app);
    const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr &&
                         !command.remaining(true).empty();
    print_error(app.get_name(),
                fmt::format("{}; see '{} --help'", unknown ? refusal_of(command) : error.what(),
                            name_of(command)));
    return exit_usage;
  }
}

int guarded_main(std::string_view program, int status_on_exception,
                 const std::function<int()>& body) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return body();
  } catch (const std::exception& error) {
    print_error(program, error.what());
    return status_on_exception;
  }
}

}  // namespace slipway
