#pragma once

#include "base/error.hpp"
#include "deploy/model/colour.hpp"
#include "deploy/model/health_answer.hpp"
#include "service/service.hpp"

#include <string>
#include <vector>

namespace slipway::deploy {

// Asks what is on a colour, all instances of it, within the time that the service has for one
// question.
class HealthSource {
 public:
  virtual ~HealthSource() = default;
  // Errors: unreachable, timeout (total, not per byte), protocol (a redirect, too many bytes).
  virtual Result<HealthAnswer> ask(Colour colour, const service::Service& service) = 0;
  // The text of each instance's metrics page.
  virtual Result<std::vector<std::string>> metrics(Colour colour,
                                                   const service::Service& service) = 0;
};

}  // namespace slipway::deploy
