#pragma once

#include "base/error.hpp"
#include "deploy/model/colour.hpp"

#include <optional>

namespace slipway::deploy {

// The switch that decides which colour gets new connections.
class Proxy {
 public:
  virtual ~Proxy() = default;

  // What is in force: the running proxy's map, or, where the proxy is down, the file that it
  // will read when it starts. Nothing: no colour. Errors: unreachable, protocol, corrupt.
  virtual Result<std::optional<Colour>> active() = 0;

  // True when the running proxy answers.
  virtual bool running() = 0;

  // Writes the map durably, tells the running proxy, and reads it back. Success means that it was
  // read back as asked.
  virtual Result<void> flip(Colour colour) = 0;

  // Makes the file say what the running proxy says, after a flip that was cut short between them.
  virtual Result<void> agree() = 0;
};

}  // namespace slipway::deploy
