#pragma once

#include "deploy/ports/proxy.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// HAProxy's map file on the disk and the same map in the running process, over its runtime socket.
class Haproxy : public Proxy {
 public:
  explicit Haproxy(const Config& config) : config_(config) {}

  // Folders for the map and the socket, and a first map that names no colour. Idempotent.
  Result<void> prepare();

  Result<std::optional<Colour>> active() override;
  bool running() override;
  Result<void> flip(Colour colour) override;
  Result<void> agree() override;

 private:
  std::filesystem::path map_file() const;
  Result<std::string> ask(const std::string& command) const;
  Result<std::optional<Colour>> active_in_process() const;
  Result<std::optional<Colour>> active_in_file() const;

  const Config& config_;
};

}  // namespace slipway::deploy
