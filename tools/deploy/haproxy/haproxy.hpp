#pragma once

#include "deploy/haproxy/statistics.hpp"
#include "deploy/ports/switch.hpp"
#include "deploy/state/config.hpp"

#include <functional>
#include <vector>

namespace slipway::deploy {

// HAProxy's map file on the disk and the same map in the running process, over its runtime socket.
class Haproxy : public Switch {
 public:
  // Its container.
  struct Container {
    // Starts the one that is there; false where none is.
    std::function<Result<bool>()> start_again;
    // Makes and starts it, as this compose file has it, unless it is there.
    std::function<Result<void>(const std::filesystem::path&, std::stop_token)> make;
  };
  Haproxy(const Config& config, Container container)
      : config_(config), container_(std::move(container)) {}

  SwitchWords words() const override;
  // Folders for the map and the socket, and a first map that names no colour.
  Result<void> prepare() override;
  Result<std::optional<Colour>> active() override;
  bool running() override;
  Result<void> check_entrance(const Services& services) override;
  Result<void> bring_up(const Services& services, std::stop_token stop) override;
  Result<void> check_current() override;
  // Of whatever haproxy.cfg it runs with: servers are known by their addresses.
  Result<void> check_routes(Colour colour, const service::Service& service) override;
  Result<std::optional<std::uint64_t>> sessions(Colour colour) override;
  Result<Totals> totals(Colour colour) override;
  Result<void> flip(Colour colour) override;
  Result<void> agree() override;

 private:
  std::filesystem::path map_file() const;
  // Notes what HAProxy was made from.
  std::filesystem::path made_from() const;
  // What to do where it must read its configuration again.
  std::string made_anew() const;
  Result<std::string> ask(const std::string& command) const;
  Result<std::vector<Server>> routes() const;
  Result<Counted> counted(Colour colour) const;
  Result<std::optional<Colour>> active_in_process() const;
  Result<std::optional<Colour>> active_in_file() const;

  const Config& config_;
  Container container_;
};

}  // namespace slipway::deploy
