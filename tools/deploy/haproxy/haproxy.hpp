#pragma once

#include "deploy/ports/switch.hpp"
#include "deploy/state/config.hpp"

#include <functional>

namespace slipway::deploy {

// HAProxy's map file on the disk and the same map in the running process, over its runtime socket.
class Haproxy : public Switch {
 public:
  using Start = std::function<Result<void>(std::stop_token)>;
  // `start` starts its container unless it runs.
  Haproxy(const Config& config, Start start) : config_(config), start_(std::move(start)) {}

  SwitchWords words() const override;
  // Folders for the map and the socket, and a first map that names no colour.
  Result<void> prepare() override;
  Result<std::optional<Colour>> active() override;
  bool running() override;
  Result<void> check_entrance() override;
  Result<void> bring_up(std::stop_token stop) override { return start_(std::move(stop)); }
  Result<void> flip(Colour colour) override;
  Result<void> agree() override;

 private:
  std::filesystem::path map_file() const;
  Result<std::string> ask(const std::string& command) const;
  Result<std::optional<Colour>> active_in_process() const;
  Result<std::optional<Colour>> active_in_file() const;

  const Config& config_;
  Start start_;
};

}  // namespace slipway::deploy
