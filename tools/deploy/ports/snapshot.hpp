#pragma once

#include "base/error.hpp"

#include <string>

namespace slipway::deploy {

// What an image runs with, so that a rollback brings back what the old version ran with: on a
// Docker host the compose file, the environment and the configuration; in a cluster the objects.
// Only the platform knows what is in it; all others know it by its hash.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  // SHA-256 over all of it, 64 hexadecimal digits.
  virtual const std::string& hash() const = 0;
  // Writes it durably, once, where the engine finds it by its hash. Errors: io.
  virtual Result<void> write() const = 0;
};

}  // namespace slipway::deploy
