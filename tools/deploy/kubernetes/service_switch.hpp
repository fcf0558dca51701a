#pragma once

#include "deploy/kubernetes/cluster_api.hpp"
#include "deploy/ports/switch.hpp"

#include <chrono>
#include <optional>

namespace slipway::deploy {

// The Service, whose selector names the colour. The API server has it at once; what each node does
// with new connections follows.
class ServiceSwitch : public Switch {
 public:
  ServiceSwitch(const Config& config, ClusterApi& api) : config_(config), api_(api) {}

  SwitchWords words() const override;
  Result<void> prepare() override { return {}; }
  Result<std::optional<Colour>> active() override;
  bool running() override;
  Result<void> check_entrance(const Services& services) override;
  Result<void> bring_up(const Services& services, std::stop_token stop) override;
  Result<void> check_routes(Colour colour, const service::Service& service) override;
  Result<std::optional<std::uint64_t>> sessions(Colour colour) override;
  Result<Totals> totals(Colour colour) override;
  Result<void> flip(Colour colour) override;
  Result<void> await_flip(std::stop_token stop) override;
  Result<void> agree() override { return {}; }

 private:
  // Nothing where there is none.
  Result<std::optional<JsonValue>> read();
  Result<bool> only_leads_to(const Names& names, Colour colour);

  const Config& config_;
  ClusterApi& api_;
  std::optional<Colour> flipped_;
  std::chrono::steady_clock::time_point flipped_at_{};
};

}  // namespace slipway::deploy
