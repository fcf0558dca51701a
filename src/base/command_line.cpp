#include "base/command_line.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <unistd.h>

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
    print_error(app.get_name(), fmt::format("{}; see '{} --help'", error.what(), app.get_name()));
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
