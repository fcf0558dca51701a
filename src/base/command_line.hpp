#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include <CLI/App.hpp>  // to make an App takes CLI/CLI.hpp: clang finds no vtable with less

namespace slipway {

// Exit statuses that mean the same in every executable; the rest belongs to each tool's own enum.
inline constexpr int exit_ok = 0;
inline constexpr int exit_usage = 2;
inline constexpr int exit_interrupted = 130;

// Parses the command line. Returns nothing when the program is to go on, else the status to exit
// with: 0 after --help or --version (printed on stdout), 2 after a bad flag (one line on stderr
// that names the flag and says what to do).
std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv);

// "program: error: message" on stderr, in red where stderr is a terminal and NO_COLOR is unset.
void print_error(std::string_view program, std::string_view message);
void print_warning(std::string_view program, std::string_view message);

// The one catch of a main: runs `body`; an exception that escapes it is printed as an error and
// turns into `status_on_exception`. SIGPIPE is ignored from here on: writes report EPIPE instead.
int guarded_main(std::string_view program, int status_on_exception,
                 const std::function<int()>& body);

}  // namespace slipway
