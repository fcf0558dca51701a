#pragma once

// What is really there: read from the switch and the engine, never from memory.

#include "deploy/model/health.hpp"
#include "deploy/model/ledger.hpp"
#include "deploy/ports/engine.hpp"
#include "deploy/run/ports.hpp"

#include <optional>

namespace slipway::deploy {

struct Survey {
  std::optional<Colour> active;  // what the switch names
  bool switch_running = false;
  Instance blue;
  Instance green;

  const Instance& on(Colour colour) const { return colour == Colour::blue ? blue : green; }
};

// Errors: what the switch or the engine said, or that the service of what is there cannot be read.
// Nothing is changed.
Result<Survey> survey(Ports& ports);

// The release's service; survey() or find_destination() has seen that it can be read.
service::Service service_of(Ports& ports, const Release& release);

// What an instance of the release said, without what it was told in confidence.
std::string without_secrets(Ports& ports, const Release& release, const std::string& said);

// What is on the two colours; one that is empty counts as the other.
Services services_on(Ports& ports, const Survey& found);

// Why the instance does not run the release's image; nothing where it does.
std::optional<std::string> wrong_image(const Instance& instance, const Release& release,
                                       const service::Service& service);

// The release that runs on a colour, by its labels and what the ledger or the image knows of it;
// nothing where the colour is empty.
std::optional<Release> release_on(Ports& ports, const Ledger& ledger, const Instance& instance);

// The release on the colour that the switch names.
std::optional<Release> release_serving(Ports& ports, const Ledger& ledger, const Survey& found);

// The release that lives on the other colour; nothing where none does.
std::optional<Release> release_waiting(Ports& ports, const Ledger& ledger, const Survey& found);

// Whether the colour answers ready as this release, within `patience`.
bool is_ready(Ports& ports, Colour colour, const Release& release,
              std::chrono::nanoseconds patience);
// Whether the way to users is open, too.
bool answers(Ports& ports, Colour colour, const Release& release,
             std::chrono::nanoseconds patience = std::chrono::nanoseconds::zero());

// How long what should serve may be silent before it counts as dead.
inline constexpr std::chrono::seconds patience_with_serving{5};

// How long recovery waits for an instance that runs and may just be starting.
inline constexpr std::chrono::seconds patience_of_recovery{10};

// Whether the colour answers as the release it should be, within `patience`.
bool is_alive(Ports& ports, Colour colour, const Instance& instance, const Release& release,
              std::chrono::nanoseconds patience);

}  // namespace slipway::deploy
