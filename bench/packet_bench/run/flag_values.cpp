#include "packet_bench/run/flag_values.hpp"

#include "base/units.hpp"
#include "packet_bench/target/btp_channel.hpp"

#include <fmt/core.h>

namespace slipway::bench {

using std::chrono::nanoseconds;

Error refused_flag(std::string_view flag, std::string_view value, std::string_view allowed) {
  return {ErrorKind::usage, fmt::format("{} '{}' makes no sense", flag, value),
          fmt::format("give {}", allowed)};
}

Result<nanoseconds> duration_flag(std::string_view flag, const std::string& text, nanoseconds least,
                                  nanoseconds most) {
  const auto duration = parse_duration(text);
  if (!duration)
    return Error{ErrorKind::usage, fmt::format("{}: {}", flag, duration.error().what),
                 duration.error().remedy};
  if (*duration < least || *duration > most) {
    return refused_flag(flag, text,
                        fmt::format("{} to {}", format_duration(least), format_duration(most)));
  }
  return duration;
}

Result<Target> receiver_flag(std::string_view flag, const std::string& text) {
  auto receiver = parse_target(text);
  if (receiver && receiver->scheme != &btp_scheme) {
    return refused_flag(flag, receiver->text(), "a btp+ws:// or btp+wss:// URL");
  }
  return receiver;
}

Error useless_flag(const Flags& command, const std::string& flag, std::string_view of_use) {
  const std::string variable = command.variable_of(flag);
  return {ErrorKind::usage, fmt::format("{} would do nothing: it is for {}", flag, of_use),
          variable.empty() ? "leave it out" : fmt::format("leave it out, and {} unset", variable)};
}

}  // namespace slipway::bench
