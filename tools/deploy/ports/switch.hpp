#pragma once

#include "base/error.hpp"
#include "deploy/model/bake.hpp"
#include "deploy/model/colour.hpp"
#include "service/service.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>

namespace slipway::deploy {

// What people are told of a switch.
struct SwitchWords {
  std::string_view name;    // "HAProxy"
  std::string_view record;  // what names the colour: "HAProxy's map"
  std::string_view silent;  // that it was brought up and does not answer, and what to do
};

// What is on the colours, or is about to be.
struct Services {
  service::Service blue;
  service::Service green;

  const service::Service& on(Colour colour) const { return colour == Colour::blue ? blue : green; }
};

// Decides which colour gets new connections. It holds no decisions of its own.
class Switch {
 public:
  virtual ~Switch() = default;

  virtual SwitchWords words() const = 0;

  // Makes what it needs before it can be asked or brought up. Idempotent.
  virtual Result<void> prepare() = 0;

  // What is in force: what the running switch says, or, where it is down, what it will read when
  // it starts. Nothing: no colour. Errors: unreachable, protocol, corrupt.
  virtual Result<std::optional<Colour>> active() = 0;

  // True when it answers.
  virtual bool running() = 0;

  // That nobody else has what users of these services come in by. Errors: busy, naming who has it.
  virtual Result<void> check_entrance(const Services& services) = 0;

  // Starts it unless it runs; never recreates it. What it carries is settled when it is made: the
  // ports of these services.
  virtual Result<void> bring_up(const Services& services, std::stop_token stop) = 0;

  // That what it runs from is what is configured now. Errors: failed, naming the remedy.
  virtual Result<void> check_current() { return {}; }

  // That users would reach each port of this service on the colour, while it runs. Errors: failed,
  // naming the port and the remedy, unreachable, protocol.
  virtual Result<void> check_routes(Colour colour, const service::Service& service) = 0;

  // How many connections or requests of users the colour has still to finish; nothing where the
  // switch cannot know. Errors: unreachable, protocol.
  virtual Result<std::optional<std::uint64_t>> sessions(Colour colour) = 0;

  // What the colour answered, as the switch counts it. Errors: unreachable, protocol.
  virtual Result<Totals> totals(Colour colour) = 0;

  // Writes the colour durably, puts it in force, and reads it back. Success means that it was read
  // back as asked.
  virtual Result<void> flip(Colour colour) = 0;

  // Returns when no new connection goes to where the last flip led away from, which need not be at
  // once where many machines hear of a flip. Errors: unreachable, cancelled.
  virtual Result<void> await_flip(std::stop_token) { return {}; }

  // Makes what is durable say what is in force, after a flip that was cut short between the two.
  virtual Result<void> agree() = 0;
};

}  // namespace slipway::deploy
