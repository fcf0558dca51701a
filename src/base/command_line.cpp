#include "base/command_line.hpp"

#include "base/grouped_help.hpp"

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

std::string names_of_commands(const CLI::App& app) {
  std::string names;
  for (const CLI::App* each : app.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + each->get_name();
  }
  return names;
}

// The first flag that was given more often than it may be; nothing where none was.
const CLI::Option* repeated(const CLI::App& command) {
  const auto options = command.get_options([](const CLI::Option* option) {
    return static_cast<int>(option->count()) > option->get_items_expected_max();
  });
  return options.empty() ? nullptr : options.front();
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

// In words that need no knowledge of what parses the line.
std::string words_of(const CLI::ParseError& error, const CLI::App& command) {
  const auto rest = command.remaining(true);
  const bool lacks_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
                             command.get_require_subcommand_min() > 0 &&
                             command.get_subcommands().empty();
  if (lacks_command) {
    const bool word = !rest.empty() && !rest.front().starts_with('-');
    return fmt::format("{} {}: it has {}", name_of(command),
                       word ? fmt::format("has no command '{}'", rest.front()) : "needs a command",
                       names_of_commands(command));
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !rest.empty()) {
    return refusal_of(command);
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const CLI::Option* const flag = repeated(command);
    if (flag != nullptr)
      return fmt::format("{} is given {} times", flag->get_name(), flag->count());
  }
  return error.what();
}

}  // namespace

void print_error(std::string_view program, std::string_view message) {
  print_tagged(program, "error", "1;31", message);
}

void print_warning(std::string_view program, std::string_view message) {
  print_tagged(program, "warning", "1;33", message);
}

Flag& Flag::value_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Flag& Flag::group(const std::string& name) {
  option_->group(name);
  return *this;
}

Flag& Flag::show_default() {
  option_->capture_default_str();
  return *this;
}

Flag& Flag::show_default(const std::string& text) {
  option_->default_str(text);
  return *this;
}

Flag& Flag::environment(const std::string& variable) {
  option_->envname(variable);
  return *this;
}

Flag& Flag::required() {
  option_->required();
  return *this;
}

Flag& Flag::excludes(const Flag& other) {
  option_->excludes(other.option_);
  return *this;
}

Flag& Flag::separated_by(char separator) {
  option_->delimiter(separator);
  return *this;
}

Flag& Flag::within(std::int64_t least, std::int64_t most) {
  option_->check(CLI::Range(least, most).description(""));
  return *this;
}

Flag Flags::add(const std::string& name, bool& into, const std::string& text) {
  return Flag(app_->add_flag(name, into, text));
}
Flag Flags::add(const std::string& name, std::string& into, const std::string& text) {
  return Flag(app_->add_option(name, into, text));
}
Flag Flags::add(const std::string& name, int& into, const std::string& text) {
  return Flag(app_->add_option(name, into, text));
}
Flag Flags::add(const std::string& name, unsigned& into, const std::string& text) {
  return Flag(app_->add_option(name, into, text));
}
Flag Flags::add(const std::string& name, std::uint64_t& into, const std::string& text) {
  return Flag(app_->add_option(name, into, text));
}
Flag Flags::add(const std::string& name, double& into, const std::string& text) {
  return Flag(app_->add_option(name, into, text));
}
Flag Flags::add(const std::string& name, std::optional<double>& into, const std::string& text) {
  return Flag(app_->add_option(name, into, text));
}
Flag Flags::add(const std::string& name, std::vector<std::string>& into, const std::string& text) {
  return Flag(app_->add_option(name, into, text));
}
Flag Flags::add(const std::string& name, std::vector<int>& into, const std::string& text) {
  return Flag(app_->add_option(name, into, text));
}

Flag Flags::add_word(const std::string& name, std::vector<std::string> words,
                     const std::string& now, std::function<void(std::size_t)> choose,
                     const std::string& text) {
  const CLI::Validator one_of_them = CLI::IsMember(words).description("");
  const auto take = [words = std::move(words),
                     choose = std::move(choose)](const std::string& word) {
    choose(static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin()));
  };
  CLI::Option* const option = app_->add_option_function<std::string>(name, take, text);
  option->check(one_of_them)->default_str(now);
  return Flag(option);
}

Flags Flags::add_command(const std::string& name, const std::string& text) {
  return Flags(app_->add_subcommand(name, text));
}

void Flags::require_commands(std::size_t least, std::size_t most) {
  app_->require_subcommand(least, most);
}

void Flags::pass_flags_up() {
  app_->fallthrough();
}

void Flags::version(const std::string& text) {
  app_->set_version_flag("--version", text);
}

void Flags::footer(const std::string& text) {
  app_->footer(text);
}

void Flags::group_help(const std::string& exit_statuses) {
  app_->set_help_flag("-h,--help");  // without a description, as who reads it knows
  app_->formatter_fn(
      [exit_statuses](const CLI::App* command, const std::string& name, CLI::AppFormatMode) {
        return grouped_help(*command, name, exit_statuses);
      });
}

bool Flags::given() const {
  return app_->parsed();
}

bool Flags::given(const std::string& flag) const {
  return app_->get_option(flag)->count() > 0;
}

std::string Flags::variable_of(const std::string& flag) const {
  return app_->get_option(flag)->get_envname();
}

std::string Flags::help() const {
  return app_->help();
}

CommandLine::CommandLine(const std::string& program, const std::string& description)
    : Flags(nullptr), owned_(std::make_unique<CLI::App>(description, program)) {
  app_ = owned_.get();
}

CommandLine::~CommandLine() = default;

std::optional<int> CommandLine::parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      app_->exit(error, std::cout, std::cerr);
      return exit_ok;
    }
    const CLI::App& command = innermost(*app_);
    print_error(app_->get_name(),
                fmt::format("{}; see '{} --help'", words_of(error, command), name_of(command)));
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
