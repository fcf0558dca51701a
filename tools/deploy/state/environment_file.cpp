#include "deploy/state/environment_file.hpp"

#include "base/foreign_text.hpp"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

namespace slipway::deploy {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool is_name(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(), plain);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }

  Result<std::map<std::string, std::string>> run() {
    while (!rest_.empty()) {
      const int at = line_ + 1;
      const std::string_view line = trimmed(take_line());
      if (line.empty() || line.front() == '#') continue;
      if (auto read = read_pair(at, line); !read) return read.error();
    }
    return values_;
  }

 private:
  std::string_view take_line() {
    ++line_;
    const std::size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return line;
  }

  Result<void> read_pair(int at, std::string_view line) {
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const std::size_t equals = line.find('=');
    const std::string_view name = trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_name(name)) {
      return refused(at, last_.empty() ? "" : " (after " + last_ + ")",
                     "it is not NAME=VALUE; a value of several lines is put in quotes");
    }
    last_ = name;
    const std::string what = fmt::format(" ({})", name);
    if (const auto before = lines_.find(last_); before != lines_.end()) {
      return refused(at, what, fmt::format("line {} gives it, too", before->second));
    }
    lines_[last_] = at;
    auto value = read_value(at, what, trimmed(line.substr(equals + 1)));
    if (!value) return value.error();
    if (!is_utf8(*value) || value->find('\0') != std::string::npos) {
      return refused(at, what, "its value is not UTF-8 text");
    }
    values_[last_] = std::move(*value);
    return {};
  }

  Result<std::string> read_value(int at, const std::string& what, std::string_view value) {
    const char quote = value.empty() ? '\0' : value.front();
    if (quote != '"' && quote != '\'') {
      const bool comment =
          value.find(" #") != std::string_view::npos || value.find("\t#") != std::string_view::npos;
      if (!comment) return std::string(value);
      return refused(at, what,
                     "a # follows a blank: a value that holds it is put in quotes, a comment on a "
                     "line of its own");
    }
    std::string read(value.substr(1));
    while (read.find(quote) == std::string::npos) {
      if (rest_.empty()) return refused(at, what, "the quote that begins its value is not closed");
      std::string_view line = take_line();
      if (line.ends_with('\r')) line.remove_suffix(1);
      read += '\n';
      read += line;
    }
    const std::size_t end = read.find(quote);
    const std::string_view after = trimmed(std::string_view(read).substr(end + 1));
    if (!after.empty()) return refused(at, what, "something follows the closing quote");
    read.resize(end);
    if (quote == '"' && read.find('\\') != std::string::npos) {
      return refused(at, what,
                     "a backslash in double quotes means different things to different programs; "
                     "single quotes take it as it is");
    }
    return read;
  }

  static Error refused(int line, const std::string& what, const std::string& why) {
    return {ErrorKind::usage, fmt::format("line {}{}: {}", line, what, why), {}};
  }

  std::string_view rest_;
  int line_ = 0;
  std::string last_;  // the name that was read last
  std::map<std::string, int> lines_;
  std::map<std::string, std::string> values_;
};

}  // namespace

Result<std::map<std::string, std::string>> parse_environment(std::string_view text) {
  return Parser(text).run();
}

}  // namespace slipway::deploy
