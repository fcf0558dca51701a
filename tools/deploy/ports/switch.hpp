#pragma once

#include "base/error.hpp"
#include "deploy/model/colour.hpp"

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

  // That nobody else has what users come in by. Errors: busy, naming who has it.
  virtual Result<void> check_entrance() = 0;

  // Starts it unless it runs; never recreates it.
  virtual Result<void> bring_up(std::stop_token stop) = 0;

  // Writes the colour durably, puts it in force, and reads it back. Success means that it was read
  // back as asked.
  virtual Result<void> flip(Colour colour) = 0;

  // Makes what is durable say what is in force, after a flip that was cut short between the two.
  virtual Result<void> agree() = 0;
};

}  // namespace slipway::deploy
