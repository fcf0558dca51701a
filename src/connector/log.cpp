#include "connector/log.hpp"

#include "base/units.hpp"

#include <unistd.h>

#include <fmt/core.h>

namespace slipway::connector {
namespace {

constexpr std::string_view level_names[] = {"debug", "info", "warn", "error"};
constexpr auto repeat_interval = std::chrono::seconds(10);
// Subjects are account ids and peer addresses; the latter are not ours to bound.
constexpr std::size_t max_subjects = 1024;

}  // namespace

LogLevel parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "warn") return LogLevel::warn;
  return text == "error" ? LogLevel::error : LogLevel::info;
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    // What a plain char is worth from 0x80 on differs between processors.
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      quoted += fmt::format("\\u{:04x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < least_) return;
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","event":{})",
                                 format_utc(std::chrono::system_clock::now()),
                                 level_names[static_cast<int>(level)], json_string(event));
  for (const LogField& field : fields) {
    line += fmt::format(",{}:", json_string(field.key));
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      line += json_string(*text);
    } else {
      line += std::to_string(std::get<std::int64_t>(field.value));
    }
  }
  line += "}\n";
  // One write a line, so that lines of two processes on one pipe do not mix. A log that cannot be
  // written is no reason to stop forwarding.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void Log::write_limited(LogLevel level, std::string_view event, std::string_view subject,
                        std::initializer_list<LogField> fields) {
  if (level < least_) return;
  const auto now = std::chrono::steady_clock::now();
  std::string key = fmt::format("{} {}", event, subject);
  if (repeats_.size() >= max_subjects && !repeats_.contains(key)) key = event;
  const auto [found, first] = repeats_.try_emplace(std::move(key), Repeats{now});
  Repeats& repeats = found->second;
  if (!first && now - repeats.last < repeat_interval) {
    ++repeats.suppressed;
    return;
  }
  if (repeats.suppressed > 0) {
    write(level, "suppressed",
          {{"of", event}, {"subject", subject}, {"count", repeats.suppressed}});
  }
  repeats = {now};
  write(level, event, fields);
}

}  // namespace slipway::connector
