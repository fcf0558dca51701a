#pragma once

#include "connector/fake_link.hpp"
#include "connector/forwarder.hpp"
#include "connector/packets.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace slipway::connector::test {

using namespace std::chrono_literals;

inline constexpr AccountIndex alice = 0;
inline constexpr AccountIndex bob = 1;
inline constexpr AccountIndex carol = 2;

inline AccountConfig account(const std::string& id) {
  AccountConfig config;
  config.id = id;
  config.address = "test.hub." + id;
  config.asset_code = "USD";
  config.asset_scale = 9;
  return config;
}

inline Config hub_config() {
  Config config;
  config.address = "test.hub";
  config.accounts = {account("alice"), account("bob"), account("carol")};
  config.accounts[alice].minimum_balance = -1000;
  config.ledger.policy.durability = ledger::Durability::none;
  return config;
}

// A forwarder with alice, bob and carol connected, and a clock that a test moves.
struct Fixture {
  explicit Fixture(Config configured = hub_config()) : config(std::move(configured)) {
    forwarder.attach(alice, alice_link.id, now);
    forwarder.attach(bob, bob_link.id, now);
    forwarder.attach(carol, carol_link.id, now);
  }

  void advance(std::chrono::milliseconds by) {
    now.wall += by;
    now.steady += by;
  }
  void send(PrepareFields fields = {}) {
    if (fields.expires_at == wire::Timestamp{}) fields.expires_at = now.wall + 10s;
    forwarder.handle_prepare(alice, alice_link.id, ++last_request, make_prepare(fields), now);
  }
  void answer(const std::vector<std::uint8_t>& packet) {
    forwarder.handle_reply(bob_link.id, bob_link.prepares.back().request_id, packet, now);
  }
  // What alice was answered last, after checking that it was for her last request.
  std::string outcome() {
    REQUIRE_FALSE(alice_link.replies.empty());
    CHECK(alice_link.replies.back().request_id == last_request);
    return alice_link.replies.back().outcome();
  }
  std::int64_t balance(AccountIndex index) const {
    return forwarder.accounts()[index].balance.value();
  }
  std::int64_t held() const {
    std::int64_t all = 0;
    for (const Account& one : forwarder.accounts()) {
      all += one.balance.held_debit() + one.balance.held_credit();
    }
    return all;
  }

  Config config;
  Now now{wire::Timestamp{1'700'000'000'000ms}, std::chrono::steady_clock::time_point{1000s}};
  LinkTable links;
  FakeLink alice_link{links};
  FakeLink bob_link{links};
  FakeLink carol_link{links};
  Forwarder forwarder{config, links, now};
  std::uint32_t last_request = 0;
};

}  // namespace slipway::connector::test
