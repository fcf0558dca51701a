#include "deploy/run/survey.hpp"

#include "base/foreign_text.hpp"

#include <functional>

#include <fmt/core.h>

namespace slipway::deploy {

Result<Survey> survey(Ports& ports) {
  Survey found;
  auto active = ports.traffic.active();
  if (!active) return active.error();
  found.active = *active;
  found.switch_running = ports.traffic.running();
  for (const Colour colour : {Colour::blue, Colour::green}) {
    auto instance = ports.engine.inspect(colour);
    if (!instance) return instance.error();
    if (instance->exists) {
      if (auto known = ports.store.service_of(instance->snapshot); !known) return known.error();
    }
    (colour == Colour::blue ? found.blue : found.green) = std::move(*instance);
  }
  return found;
}

service::Service service_of(Ports& ports, const Release& release) {
  auto known = ports.store.service_of(release.snapshot);
  return known ? std::move(*known) : service::Service{};
}

std::string without_secrets(Ports& ports, const Release& release, const std::string& said) {
  return foreign_text(said, 3000, ports.store.secrets(release.snapshot));
}

Services services_on(Ports& ports, const Survey& found) {
  const auto on = [&](const Instance& instance, const Instance& spare) {
    Release release;
    release.snapshot = instance.exists ? instance.snapshot : spare.snapshot;
    return service_of(ports, release);
  };
  return {on(found.blue, found.green), on(found.green, found.blue)};
}

std::optional<std::string> wrong_image(const Instance& instance, const Release& release,
                                       const service::Service& service) {
  if (instance.digest != release.digest) {
    return fmt::format("the engine runs {}, not {}{}{}",
                       instance.digest.empty() ? "an image of no known digest" : instance.digest,
                       release.digest, instance.reason.empty() ? "" : ": ", instance.reason);
  }
  if (!service.version_is_digest) return std::nullopt;
  if (!release.image_id.empty() && instance.image_id == release.image_id) return std::nullopt;
  return fmt::format("the engine runs the image {}, that of the digest is {}", instance.image_id,
                     release.image_id.empty() ? "not known" : release.image_id);
}

std::optional<Release> release_on(Ports& ports, const Ledger& ledger, const Instance& instance) {
  if (!instance.exists || instance.digest.empty()) return std::nullopt;
  if (auto known = ledger.find_exact(instance.digest, instance.snapshot)) return known;
  Release release;
  if (auto held = ports.engine.retained()) {
    for (const Release& candidate : *held) {
      if (candidate.digest == instance.digest) release = candidate;
    }
  }
  release.digest = instance.digest;
  release.snapshot = instance.snapshot;
  release.image_id = instance.image_id;
  if (auto image = ports.engine.find_local(release)) {
    release.revision = image->revision;
    release.version = image->version;
  }
  return release;
}

std::optional<Release> release_serving(Ports& ports, const Ledger& ledger, const Survey& found) {
  return found.active ? release_on(ports, ledger, found.on(*found.active)) : std::nullopt;
}

std::optional<Release> release_waiting(Ports& ports, const Ledger& ledger, const Survey& found) {
  if (!found.active) return std::nullopt;
  const Colour colour = other(*found.active);
  auto release = release_on(ports, ledger, found.on(colour));
  const auto at_once = std::chrono::nanoseconds::zero();
  if (!release || !is_alive(ports, colour, found.on(colour), *release, at_once)) {
    return std::nullopt;
  }
  return release;
}

namespace {

bool comes_true(Ports& ports, std::chrono::nanoseconds patience,
                const std::function<bool()>& what) {
  const auto give_up = ports.clock.now() + patience;
  for (;;) {
    if (what()) return true;
    if (ports.clock.now() >= give_up) return false;
    ports.clock.sleep_for(std::chrono::milliseconds(100), {});
  }
}

}  // namespace

bool is_ready(Ports& ports, Colour colour, const Release& release,
              std::chrono::nanoseconds patience) {
  const service::Service service = service_of(ports, release);
  return comes_true(ports, patience, [&] {
    const auto answer = ports.health.ask(colour, service);
    return !objection(answer, expectation(release.revision, service)) && answer->ready;
  });
}

bool answers(Ports& ports, Colour colour, const Release& release,
             std::chrono::nanoseconds patience) {
  return comes_true(ports, patience, [&] { return ports.traffic.running(); }) &&
         is_ready(ports, colour, release, patience);
}

bool is_alive(Ports& ports, Colour colour, const Instance& instance, const Release& release,
              std::chrono::nanoseconds patience) {
  const service::Service service = service_of(ports, release);
  if (!instance.running || wrong_image(instance, release, service)) return false;
  const Expectation expected = expectation(release.revision, service);
  return comes_true(ports, patience,
                    [&] { return !objection(ports.health.ask(colour, service), expected); });
}

}  // namespace slipway::deploy
