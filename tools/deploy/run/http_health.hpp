#pragma once

#include "deploy/ports/engine.hpp"
#include "deploy/ports/health_source.hpp"

namespace slipway::deploy {

// Asks each instance of a colour where the engine says that it is. Without `shows_words` what it
// answers beside the fields of its health stays untold.
class HttpHealth : public HealthSource {
 public:
  explicit HttpHealth(Engine& engine, bool shows_words = true)
      : engine_(engine), shows_words_(shows_words) {}

  Result<HealthAnswer> ask(Colour colour, const service::Service& service) override;
  Result<std::vector<std::string>> metrics(Colour colour, const service::Service& service) override;

 private:
  Engine& engine_;
  bool shows_words_;
};

}  // namespace slipway::deploy
