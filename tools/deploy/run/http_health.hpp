#pragma once

#include "deploy/ports/engine.hpp"
#include "deploy/ports/health_source.hpp"

namespace slipway::deploy {

// Asks a colour where the engine says that it is.
class HttpHealth : public HealthSource {
 public:
  explicit HttpHealth(Engine& engine) : engine_(engine) {}

  Result<HealthAnswer> ask(Colour colour, const service::Service& service) override;
  Result<std::string> metrics(Colour colour, const service::Service& service) override;

 private:
  Engine& engine_;
};

}  // namespace slipway::deploy
