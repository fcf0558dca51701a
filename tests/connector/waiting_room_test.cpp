// Packets to a peer that is about to come, when a standby takes over.
#include "connector/hub_fixture.hpp"

using namespace slipway;
using namespace slipway::connector;
using namespace slipway::connector::test;
using namespace std::chrono_literals;

namespace {

// A standby that has just taken over: bob's socket is still elsewhere.
struct TakenOver : Fixture {
  explicit TakenOver(Config configured = hub_config()) : Fixture(std::move(configured)) {
    forwarder.detach(bob, bob_link.id, now);
    forwarder.expect_peers(now.steady + 5s);
  }
  void bob_comes() { forwarder.attach(bob, bob_link.id, now); }
  void pass(std::chrono::milliseconds by) {
    advance(by);
    forwarder.expire(now);
  }
};

}  // namespace

TEST_CASE("packets to a peer that is about to come wait for it, in order", "[connector]") {
  TakenOver hub;
  hub.send({.number = 1, .amount = 10});
  hub.send({.number = 2, .amount = 20});
  CHECK(hub.alice_link.replies.empty());
  CHECK(hub.forwarder.in_flight() == 2);
  CHECK(hub.held() == 60);
  hub.pass(300ms);
  hub.bob_comes();
  REQUIRE(hub.bob_link.prepares.size() == 2);
  CHECK(hub.bob_link.prepares[0].amount == 10);
  CHECK(hub.bob_link.prepares[1].amount == 20);
  // What is passed on says what it said when it came.
  CHECK(hub.bob_link.prepares[0].expires_at == hub.now.wall - 300ms + 9s);
  hub.answer(make_fulfill(preimage_of(2)));
  CHECK(hub.outcome() == "fulfilled");
  CHECK(hub.balance(bob) == 20);
  hub.send({.number = 3});
  CHECK(hub.bob_link.prepares.size() == 3);
}

TEST_CASE("a peer that does not come is T01 after two seconds, and holds nothing", "[connector]") {
  TakenOver hub;
  hub.send();
  hub.pass(WaitingRoom::longest - 2 * PendingTable::resolution);
  CHECK(hub.alice_link.replies.empty());
  hub.pass(4 * PendingTable::resolution);
  CHECK(hub.outcome() == "T01");
  CHECK(hub.held() == 0);
  CHECK(hub.forwarder.in_flight() == 0);
  hub.bob_comes();
  CHECK(hub.bob_link.prepares.empty());
}

TEST_CASE("a packet that has waited is R00 by its own expiry, as any other", "[connector]") {
  TakenOver hub;
  hub.send();
  hub.pass(500ms);
  hub.bob_comes();
  hub.pass(8500ms - 2 * PendingTable::resolution);
  CHECK(hub.alice_link.replies.empty());
  hub.pass(4 * PendingTable::resolution);
  CHECK(hub.outcome() == "R00");
  CHECK(hub.held() == 0);
}

TEST_CASE("nobody is waited for who was here since, when that time is over, or without a takeover",
          "[connector]") {
  SECTION("who was here since") {
    TakenOver hub;
    hub.bob_comes();
    hub.forwarder.detach(bob, hub.bob_link.id, hub.now);
    hub.send();
    CHECK(hub.outcome() == "T01");
  }
  SECTION("when that time is over") {
    TakenOver hub;
    hub.pass(5s);
    hub.send();
    CHECK(hub.outcome() == "T01");
  }
  SECTION("without a takeover") {
    Fixture hub;
    hub.forwarder.detach(bob, hub.bob_link.id, hub.now);
    hub.send();
    CHECK(hub.outcome() == "T01");
  }
}

TEST_CASE("what waits is bounded, and what was let go of makes room again", "[connector]") {
  WaitingRoom room;
  const WaitingRoom::TimePoint now{1000s};
  room.expect_peers(now + 5s);
  const std::size_t half = WaitingRoom::most_bytes / 2;
  for (std::uint32_t id = 1; id <= 2; ++id) {
    REQUIRE(room.admits(bob, half, now));
    room.add(bob, {id, now, {}, std::vector<std::uint8_t>(half)});
  }
  CHECK_FALSE(room.admits(carol, 1, now));
  room.sweep([](std::uint32_t id) { return id != 1; });
  CHECK(room.bytes() == half);
  CHECK(room.admits(carol, half, now));
  const auto all = room.arrived(bob);
  REQUIRE(all.size() == 1);
  CHECK(all.front().id == 2);
  CHECK(room.bytes() == 0);
  CHECK_FALSE(room.admits(bob, 1, now));
}

TEST_CASE("a connector that gives up answers what waits, too", "[connector]") {
  TakenOver hub;
  hub.send();
  hub.forwarder.abandon_all("T00", "the connector is being replaced", hub.now);
  CHECK(hub.outcome() == "T00");
  CHECK(hub.held() == 0);
  hub.bob_comes();
  CHECK(hub.bob_link.prepares.empty());
}
