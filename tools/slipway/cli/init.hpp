#pragma once

#include "base/command_line.hpp"

#include <string>

namespace slipway::front {

// `slipway init`: writes slipway.yml from what the repository tells; --check only says what is
// missing.
class InitCommand {
 public:
  explicit InitCommand(Flags& flags);
  // Exit status: 0 done or nothing missing, 1 something is missing, 2 slipway.yml cannot be used.
  int run() const;

 private:
  std::string folder_ = ".";
  bool check_ = false;
};

}  // namespace slipway::front
