#pragma once

#include "deploy/ports/engine.hpp"
#include "deploy/ports/store.hpp"
#include "deploy/ports/switch.hpp"
#include "deploy/state/config.hpp"

namespace slipway::deploy {

// The switch of a host without HAProxy (strategy `recreate`): both colours publish the same ports,
// so that only one can run, and the one that runs serves. A file says which one should.
class SoloSwitch : public Switch {
 public:
  SoloSwitch(const Config& config, Engine& engine, Store& store)
      : config_(config), engine_(engine), store_(store) {}

  SwitchWords words() const override;
  Result<void> prepare() override { return {}; }
  // The colour that runs; where none or both do, the one that the file names.
  Result<std::optional<Colour>> active() override;
  // There is nothing that could be down.
  bool running() override { return true; }
  Result<void> check_entrance(const Services& services) override;
  Result<void> bring_up(const Services&, std::stop_token) override { return {}; }
  // The container that serves has its ports itself, and is stopped with what it has to finish.
  Result<void> check_routes(Colour, const service::Service&) override { return {}; }
  Result<std::optional<std::uint64_t>> sessions(Colour) override {
    return std::optional<std::uint64_t>(0);
  }
  Result<Totals> totals(Colour) override { return Totals{}; }
  // Writes the file durably, stops the other colour (which answers what it accepted) and starts
  // this one. Between the two nothing serves.
  Result<void> flip(Colour colour) override;
  Result<void> agree() override;

 private:
  std::filesystem::path file() const { return config_.state_directory / "active"; }

  const Config& config_;
  Engine& engine_;
  Store& store_;
};

}  // namespace slipway::deploy
