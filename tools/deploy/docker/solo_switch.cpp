#include "deploy/docker/solo_switch.hpp"

#include "base/durable_file.hpp"
#include "deploy/haproxy/entrance_ports.hpp"

#include <fmt/core.h>

namespace slipway::deploy {

SwitchWords SoloSwitch::words() const {
  return {"the container", "what runs", "the container was started and does not run"};
}

Result<void> SoloSwitch::check_entrance(const Services& services) {
  return check_entrance_ports(config_, services);
}

Result<std::optional<Colour>> SoloSwitch::active() {
  auto blue = engine_.inspect(Colour::blue);
  auto green = engine_.inspect(Colour::green);
  if (!blue) return blue.error();
  if (!green) return green.error();
  if (blue->running != green->running) {
    return std::optional(blue->running ? Colour::blue : Colour::green);
  }
  auto named = read_file(file(), 64);
  if (!named) {
    if (named.error().kind == ErrorKind::not_found) return std::optional<Colour>{};
    return named.error();
  }
  const auto colour = parse_colour(named->substr(0, named->find('\n')));
  if (!colour) {
    return Error{ErrorKind::corrupt, fmt::format("{} names no colour", file().string()),
                 "write 'blue' or 'green' into it by hand"};
  }
  return colour;
}

Result<void> SoloSwitch::flip(Colour colour) {
  // The file first: what is cut short is taken up in this direction.
  auto written = write_durably(file(), fmt::format("{}\n", to_string(colour)));
  if (!written) return written;
  auto old = engine_.inspect(other(colour));
  if (!old) return old.error();
  // Also one that is down for the moment: the engine would restart it, and it has the ports.
  if (old->running || old->restart_count > 0) {
    const auto service = store_.service_of(old->snapshot);
    const auto grace = (service ? *service : service::Service{}).drain;
    if (auto stopped = engine_.stop(other(colour), grace); !stopped) return stopped;
  }
  return engine_.start_again(colour);
}

Result<void> SoloSwitch::agree() {
  auto serving = active();
  if (!serving) return serving.error();
  if (!*serving) return {};
  return write_durably(file(), fmt::format("{}\n", to_string(**serving)));
}

}  // namespace slipway::deploy
