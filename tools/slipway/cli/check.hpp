#pragma once

#include "base/command_line.hpp"

#include <string>

namespace slipway::front {

// `slipway check`: whether slipway.yml can be used, and what it comes to with its defaults.
class CheckCommand {
 public:
  explicit CheckCommand(Flags& flags);
  int run() const;

 private:
  std::string file_ = "slipway.yml";
  bool json_ = false;
};

}  // namespace slipway::front
