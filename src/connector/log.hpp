#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace slipway::connector {

enum class LogLevel { debug, info, warn, error };

struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t> value;
};

// Structured log: one JSON line an event on stderr, with time, level and event first. For events
// that matter to an operator, never for a packet, and never with a token in it.
class Log {
 public:
  explicit Log(LogLevel least) : least_(least) {}

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

  // For what a peer can cause at will: an event of one `subject` is written once in ten seconds,
  // and the next line says how many were left out (`suppressed`).
  void write_limited(LogLevel level, std::string_view event, std::string_view subject,
                     std::initializer_list<LogField> fields = {});

 private:
  struct Repeats {
    std::chrono::steady_clock::time_point last;
    std::int64_t suppressed = 0;
  };
  LogLevel least_;
  std::map<std::string, Repeats, std::less<>> repeats_;
};

LogLevel parse_log_level(std::string_view text);  // of a checked configuration

// `text` as a JSON string with its quotes; bytes that are not printable ASCII are escaped.
std::string json_string(std::string_view text);

}  // namespace slipway::connector
