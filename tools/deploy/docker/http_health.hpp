#pragma once

#include "deploy/model/health.hpp"

#include <cstdint>
#include <string>

namespace slipway::deploy {

// Asks a colour on its bridge address: PREFIX.10 is blue, PREFIX.11 is green.
std::string bridge_address(const std::string& subnet_prefix, Colour colour);

class HttpHealth : public HealthSource {
 public:
  HttpHealth(std::string subnet_prefix, std::uint16_t port)
      : subnet_prefix_(std::move(subnet_prefix)), port_(port) {}

  Result<HealthAnswer> ask(Colour colour, std::chrono::nanoseconds timeout) override;
  Result<std::string> metrics(Colour colour, std::chrono::nanoseconds timeout) override;

 private:
  std::string subnet_prefix_;
  std::uint16_t port_;
};

}  // namespace slipway::deploy
