#include "deploy/run/survey.hpp"

namespace slipway::deploy {

Result<Survey> survey(World& world) {
  Survey found;
  auto active = world.proxy.active();
  if (!active) return active.error();
  found.active = *active;
  found.proxy_running = world.proxy.running();
  for (const Colour colour : {Colour::blue, Colour::green}) {
    auto instance = world.engine.inspect(colour);
    if (!instance) return instance.error();
    (colour == Colour::blue ? found.blue : found.green) = std::move(*instance);
  }
  return found;
}

std::optional<Release> release_on(World& world, const Ledger& ledger, const Instance& instance) {
  if (!instance.exists || instance.digest.empty()) return std::nullopt;
  if (auto known = ledger.find_exact(instance.digest, instance.snapshot)) return known;
  Release release;
  if (auto held = world.engine.held()) {
    for (const Release& candidate : *held) {
      if (candidate.digest == instance.digest) release = candidate;
    }
  }
  release.digest = instance.digest;
  release.snapshot = instance.snapshot;
  release.image_id = instance.image_id;
  if (auto image = world.engine.find_local(release)) {
    release.revision = image->revision;
    release.version = image->version;
  }
  return release;
}

std::optional<Release> release_serving(World& world, const Ledger& ledger, const Survey& found) {
  return found.active ? release_on(world, ledger, found.on(*found.active)) : std::nullopt;
}

std::optional<Release> release_waiting(World& world, const Ledger& ledger, const Survey& found) {
  if (!found.active) return std::nullopt;
  const Colour colour = other(*found.active);
  auto release = release_on(world, ledger, found.on(colour));
  const auto at_once = std::chrono::nanoseconds::zero();
  if (!release || !is_alive(world, colour, found.on(colour), *release, at_once)) {
    return std::nullopt;
  }
  return release;
}

bool answers(World& world, Colour colour, const Release& release) {
  const auto answer = world.health.ask(colour, world.config.gate.timeout);
  return world.proxy.running() && !objection(answer, release.revision) && answer->ready;
}

bool is_alive(World& world, Colour colour, const Instance& instance, const Release& release,
              std::chrono::nanoseconds patience) {
  if (!instance.running || instance.digest != release.digest) return false;
  const auto give_up = world.clock.now() + patience;
  for (;;) {
    if (!objection(world.health.ask(colour, world.config.gate.timeout), release.revision)) {
      return true;
    }
    if (world.clock.now() >= give_up) return false;
    world.clock.sleep_for(std::chrono::milliseconds(100), {});
  }
}

}  // namespace slipway::deploy
