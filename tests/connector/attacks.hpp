#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::connector::test {

// What a hostile client does until it is told to stop. It comes from 127.0.0.2, so that the log
// tells it from the honest ones. Each takes next to no processor time of its own: what the others
// lose, they lose to the connector.
struct Attack {
  std::string name;
  void (*run)(std::uint16_t port, const std::stop_token& stop);
  // What the connector has to log of it, once for each of its `clients`: the event and the
  // beginning of the reason.
  struct Logged {
    std::string event;
    std::string reason;
    int clients = 1;
  };
  std::vector<Logged> logged;
};

// A byte a second; never reading; 10,000 connections; frames of 1 GiB; wrong tokens. They use the
// accounts that hostile_accounts names.
const std::vector<Attack>& attacks();

// JSON of the accounts that the attacks come as.
std::string hostile_accounts();

// What no log may show.
inline constexpr const char* wrong_token = "a-token-that-was-guessed";

// How many descriptors the attacks need.
inline constexpr std::uint64_t attack_descriptors = 10'200;

}  // namespace slipway::connector::test
