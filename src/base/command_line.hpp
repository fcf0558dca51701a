#pragma once

// A program's flags. CLI11 is behind this, compiled once: it costs seconds in each file that sees
// it.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 is theirs
class App;
class Option;
}  // namespace CLI

namespace slipway {

// Exit statuses that mean the same in every executable; the rest belongs to each tool's own enum.
inline constexpr int exit_ok = 0;
inline constexpr int exit_usage = 2;
inline constexpr int exit_interrupted = 130;

// One flag or positional argument, as it was declared.
class Flag {
 public:
  explicit Flag(CLI::Option* option) : option_(option) {}

  Flag& value_name(const std::string& name);  // what the help calls the value
  Flag& group(const std::string& name);       // in the help; empty: not shown
  Flag& show_default();                       // the value that the variable has now
  Flag& show_default(const std::string& text);
  Flag& environment(const std::string& variable);
  Flag& required();
  Flag& excludes(const Flag& other);
  Flag& separated_by(char separator);  // values of a list
  Flag& within(std::int64_t least, std::int64_t most);

 private:
  CLI::Option* option_;
};

// The flags of a command, or of the program itself. What is given is written into the variables at
// parsing; they must outlive it.
class Flags {
 public:
  explicit Flags(CLI::App* app) : app_(app) {}

  // A flag ("--rate"), or a positional argument ("IMAGE") by a name without dashes. A bool takes no
  // value, a list may be given again or with several values.
  Flag add(const std::string& name, bool& into, const std::string& text = "");
  Flag add(const std::string& name, std::string& into, const std::string& text = "");
  Flag add(const std::string& name, int& into, const std::string& text = "");
  Flag add(const std::string& name, unsigned& into, const std::string& text = "");
  Flag add(const std::string& name, std::uint64_t& into, const std::string& text = "");
  Flag add(const std::string& name, double& into, const std::string& text = "");
  Flag add(const std::string& name, std::optional<double>& into, const std::string& text = "");
  Flag add(const std::string& name, std::vector<std::string>& into, const std::string& text = "");
  Flag add(const std::string& name, std::vector<int>& into, const std::string& text = "");

  // A flag whose value is one of a few words, each of which stands for a value; the help shows the
  // one of `into` as the default.
  template <typename Value>
  Flag add_choice(const std::string& name, Value& into,
                  std::vector<std::pair<std::string, Value>> choices,
                  const std::string& text = "") {
    std::vector<std::string> words;
    std::string now;
    for (const auto& [word, value] : choices) {
      words.push_back(word);
      if (value == into) now = word;
    }
    return add_word(
        name, std::move(words), now,
        [&into, choices = std::move(choices)](std::size_t chosen) {
          into = choices[chosen].second;
        },
        text);
  }

  Flags add_command(const std::string& name, const std::string& text);
  // At most or at least so many of the commands must be given.
  void require_commands(std::size_t least, std::size_t most);
  // Flags of the program may also stand behind a command.
  void pass_flags_up();
  void version(const std::string& text);
  void footer(const std::string& text);
  // Help in groups of flags, two columns and 80 characters a line; `exit_statuses` stands before
  // the footer.
  void group_help(const std::string& exit_statuses);

  // After parsing.
  bool given() const;
  bool given(const std::string& flag) const;
  // The variable of the environment that may stand for the flag; empty: none.
  std::string variable_of(const std::string& flag) const;
  std::string help() const;

 private:
  Flag add_word(const std::string& name, std::vector<std::string> words, const std::string& now,
                std::function<void(std::size_t)> choose, const std::string& text);

 protected:
  CLI::App* app_;
};

class CommandLine : public Flags {
 public:
  CommandLine(const std::string& program, const std::string& description);
  ~CommandLine();

  // Returns nothing when the program is to go on, else the status to exit with: 0 after --help or
  // --version (printed on stdout), 2 after a bad flag (one line on stderr that names the flag and
  // says what to do).
  std::optional<int> parse(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> owned_;
};

// "program: error: message" on stderr, in red where stderr is a terminal and NO_COLOR is unset.
void print_error(std::string_view program, std::string_view message);
void print_warning(std::string_view program, std::string_view message);

// The one catch of a main: runs `body`; an exception that escapes it is printed as an error and
// turns into `status_on_exception`. SIGPIPE is ignored from here on: writes report EPIPE instead.
int guarded_main(std::string_view program, int status_on_exception,
                 const std::function<int()>& body);

}  // namespace slipway
