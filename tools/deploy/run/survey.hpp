#pragma once

// What is really there: read from HAProxy and the engine, never from memory.

#include "deploy/model/health.hpp"
#include "deploy/model/ledger.hpp"
#include "deploy/ports/engine.hpp"
#include "deploy/run/operation.hpp"

#include <optional>

namespace slipway::deploy {

struct Survey {
  std::optional<Colour> active;  // what HAProxy's map names
  bool proxy_running = false;
  Instance blue;
  Instance green;

  const Instance& on(Colour colour) const { return colour == Colour::blue ? blue : green; }
};

// Errors: what the proxy or the engine said. Nothing is changed.
Result<Survey> survey(World& world);

// The release that runs on a colour, by the labels of its container and what the ledger or the
// image knows of it; nothing where the colour is empty.
std::optional<Release> release_on(World& world, const Ledger& ledger, const Instance& instance);

// The release on the colour that HAProxy's map names.
std::optional<Release> release_serving(World& world, const Ledger& ledger, const Survey& found);

// The release that lives on the other colour; nothing where none does.
std::optional<Release> release_waiting(World& world, const Ledger& ledger, const Survey& found);

// Whether HAProxy's way to users is open and the colour behind it answers ready as this
// release, now.
bool answers(World& world, Colour colour, const Release& release);

// Whether the colour answers as the release it should be, within a short time: after a reboot or a
// kill the containers may just be starting.
bool is_alive(World& world, Colour colour, const Instance& instance, const Release& release,
              std::chrono::nanoseconds patience);

}  // namespace slipway::deploy
