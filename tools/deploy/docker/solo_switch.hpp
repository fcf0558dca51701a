#pragma once

#include "deploy/ports/engine.hpp"
#include "deploy/ports/switch.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// The switch of a host without HAProxy (strategy `recreate`): both colours publish the same ports,
// so that only one can run, and the one that runs serves. A file says which one should.
class SoloSwitch : public Switch {
 public:
  SoloSwitch(const Config& config, Engine& engine) : config_(config), engine_(engine) {}

  SwitchWords words() const override;
  Result<void> prepare() override { return {}; }
  // The colour that runs; where none or both do, the one that the file names.
  Result<std::optional<Colour>> active() override;
  // There is nothing that could be down.
  bool running() override { return true; }
  Result<void> check_entrance() override;
  Result<void> bring_up(std::stop_token) override { return {}; }
  // Writes the file durably, stops the other colour (which answers what it accepted) and starts
  // this one. Between the two nothing serves.
  Result<void> flip(Colour colour) override;
  Result<void> agree() override;

 private:
  std::filesystem::path file() const { return config_.state_directory / "active"; }

  const Config& config_;
  Engine& engine_;
};

}  // namespace slipway::deploy
