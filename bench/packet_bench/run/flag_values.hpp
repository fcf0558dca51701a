#pragma once

#include "base/command_line.hpp"
#include "base/error.hpp"
#include "packet_bench/target/target.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::bench {

// Adds flags to one group of the help.
class FlagGroup {
 public:
  FlagGroup(Flags& command, std::string name) : command_(command), name_(std::move(name)) {}

  // `type` is what the help calls the value.
  template <typename Value>
  Flag add(const std::string& flag, const char* type, Value& into, const std::string& text) const {
    return command_.add(flag, into, text).value_name(type).group(name_);
  }
  Flag add(const std::string& flag, bool& into, const std::string& text) const {
    return command_.add(flag, into, text).group(name_);
  }
  template <typename Value>
  Flag add_choice(const std::string& flag, const char* type, Value& into,
                  std::vector<std::pair<std::string, Value>> choices,
                  const std::string& text) const {
    return command_.add_choice(flag, into, std::move(choices), text).value_name(type).group(name_);
  }

 private:
  Flags& command_;
  std::string name_;
};

// Errors (`usage`) name the flag.
Result<std::chrono::nanoseconds> duration_flag(std::string_view flag, const std::string& text,
                                               std::chrono::nanoseconds least,
                                               std::chrono::nanoseconds most);
Error refused_flag(std::string_view flag, std::string_view value, std::string_view allowed);
// A flag whose value would change nothing: whoever gives one believes that it does something.
Error useless_flag(const Flags& command, const std::string& flag, std::string_view of_use);
Result<Target> receiver_flag(std::string_view flag, const std::string& text);

}  // namespace slipway::bench
