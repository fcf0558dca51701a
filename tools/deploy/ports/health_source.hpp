#pragma once

#include "base/error.hpp"
#include "deploy/model/colour.hpp"
#include "deploy/model/health_answer.hpp"
#include "service/service.hpp"

#include <string>

namespace slipway::deploy {

// Asks an instance of `service`, within the time that the service has for one question.
class HealthSource {
 public:
  virtual ~HealthSource() = default;
  // Errors: unreachable, timeout (total, not per byte), protocol (a redirect, too many bytes).
  virtual Result<HealthAnswer> ask(Colour colour, const service::Service& service) = 0;
  // The text of its metrics page.
  virtual Result<std::string> metrics(Colour colour, const service::Service& service) = 0;
};

}  // namespace slipway::deploy
