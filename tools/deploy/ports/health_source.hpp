#pragma once

#include "base/error.hpp"
#include "deploy/model/colour.hpp"
#include "deploy/model/health_answer.hpp"

#include <chrono>
#include <string>

namespace slipway::deploy {

class HealthSource {
 public:
  virtual ~HealthSource() = default;
  // Errors: unreachable, timeout (total, not per byte), protocol (a redirect, too many bytes).
  virtual Result<HealthAnswer> ask(Colour colour, std::chrono::nanoseconds timeout) = 0;
  // The text of /metrics.
  virtual Result<std::string> metrics(Colour colour, std::chrono::nanoseconds timeout) = 0;
};

}  // namespace slipway::deploy
