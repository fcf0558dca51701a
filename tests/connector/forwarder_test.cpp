#include "connector/hub_fixture.hpp"

using namespace slipway;
using namespace slipway::connector;
using namespace slipway::connector::test;
using namespace std::chrono_literals;

TEST_CASE("a fulfilled packet moves its amount from the sender to the receiver", "[connector]") {
  Fixture hub;
  hub.send({.number = 7, .amount = 100});
  REQUIRE(hub.bob_link.prepares.size() == 1);
  CHECK(hub.bob_link.prepares[0].amount == 100);
  CHECK(hub.bob_link.prepares[0].expires_at == hub.now.wall + 9s);
  CHECK(hub.balance(alice) == 0);
  CHECK(hub.held() == 200);
  hub.answer(make_fulfill(preimage_of(7)));
  CHECK(hub.outcome() == "fulfilled");
  CHECK(hub.alice_link.replies[0].packet == make_fulfill(preimage_of(7)));
  CHECK(hub.balance(alice) == -100);
  CHECK(hub.balance(bob) == 100);
  CHECK(hub.held() == 0);
  CHECK(hub.forwarder.in_flight() == 0);
}

TEST_CASE("a rejected packet is passed back as it came and costs nothing", "[connector]") {
  Fixture hub;
  hub.send();
  hub.answer(make_reject("F99"));
  CHECK(hub.outcome() == "F99");
  CHECK(hub.alice_link.replies[0].packet == make_reject("F99"));
  CHECK(hub.balance(alice) == 0);
  CHECK(hub.balance(bob) == 0);
  CHECK(hub.held() == 0);
}

TEST_CASE("a wrong preimage is F05 from the connector itself", "[connector]") {
  Fixture hub;
  hub.send({.number = 1});
  hub.answer(make_fulfill(preimage_of(2)));
  CHECK(hub.outcome() == "F05");
  const auto reject = wire::decode_packet(hub.alice_link.replies[0].packet);
  CHECK(std::get<wire::Reject>(*reject).triggered_by == "test.hub");
  CHECK(hub.balance(bob) == 0);
  CHECK(hub.held() == 0);
}

TEST_CASE("a silent peer is R00 when the outgoing expiry has passed, and not before",
          "[connector]") {
  Fixture hub;
  hub.send();
  hub.advance(8999ms);
  hub.forwarder.expire(hub.now);
  CHECK(hub.alice_link.replies.empty());
  hub.advance(1ms + 2 * PendingTable::resolution);
  hub.forwarder.expire(hub.now);
  CHECK(hub.outcome() == "R00");
  CHECK(hub.held() == 0);
  SECTION("and the late fulfilment moves nothing") {
    hub.answer(make_fulfill(preimage_of(1)));
    CHECK(hub.alice_link.replies.size() == 1);
    CHECK(hub.balance(bob) == 0);
    CHECK(hub.forwarder.late_replies() == 1);
  }
}

TEST_CASE("a fulfilment after the expiry is R00 even when the timer has not run", "[connector]") {
  Fixture hub;
  hub.send();
  hub.advance(9s);
  hub.answer(make_fulfill(preimage_of(1)));
  CHECK(hub.outcome() == "R00");
  CHECK(hub.balance(bob) == 0);
}

TEST_CASE("a second answer to the same packet finds nothing", "[connector]") {
  Fixture hub;
  hub.send();
  hub.answer(make_fulfill(preimage_of(1)));
  hub.answer(make_fulfill(preimage_of(1)));
  CHECK(hub.alice_link.replies.size() == 1);
  CHECK(hub.balance(bob) == 100);
}

TEST_CASE("an answer from another link than the packet went to finds nothing", "[connector]") {
  Fixture hub;
  hub.send();
  hub.forwarder.handle_reply(hub.carol_link.id, hub.bob_link.prepares[0].request_id,
                             make_fulfill(preimage_of(1)), hub.now);
  CHECK(hub.alice_link.replies.empty());
  CHECK(hub.forwarder.in_flight() == 1);
}

TEST_CASE("the connector refuses by itself with the code of the reason", "[connector]") {
  Config config = hub_config();
  config.accounts[alice].maximum_packet_amount = 5000;
  config.accounts[bob].maximum_balance = 300;
  Fixture hub(config);
  SECTION("F02: no route") {
    hub.send({.destination = "test.elsewhere.x"});
    CHECK(hub.outcome() == "F02");
  }
  SECTION("F02: the route leads back") {
    hub.send({.destination = "test.hub.alice.x"});
    CHECK(hub.outcome() == "F02");
  }
  SECTION("F02: a peer address is never forwarded") {
    hub.send({.destination = "peer.something"});
    CHECK(hub.outcome() == "F02");
  }
  SECTION("R02: expired") {
    hub.send({.expires_at = hub.now.wall - 1ms});
    CHECK(hub.outcome() == "R02");
  }
  SECTION("R02: too short for the margin") {
    hub.send({.expires_at = hub.now.wall + 1000ms});
    CHECK(hub.outcome() == "R02");
  }
  SECTION("T04: the sender's balance") {
    hub.send({.amount = 1001, .destination = "test.hub.carol"});
    CHECK(hub.outcome() == "T04");
  }
  SECTION("T04: the receiver's balance") {
    hub.send({.amount = 301});
    CHECK(hub.outcome() == "T04");
  }
  SECTION("F08: says the amount and the maximum") {
    hub.send({.amount = 5001});
    CHECK(hub.outcome() == "F08");
    const auto reject = wire::decode_packet(hub.alice_link.replies[0].packet);
    const auto data = std::get<wire::Reject>(*reject).data;
    CHECK(std::vector<std::uint8_t>(data.begin(), data.end()) ==
          std::vector<std::uint8_t>{0, 0, 0, 0, 0, 0, 0x13, 0x89, 0, 0, 0, 0, 0, 0, 0x13, 0x88});
  }
  SECTION("T01: not connected") {
    hub.forwarder.detach(bob, hub.bob_link.id, hub.now);
    hub.send();
    CHECK(hub.outcome() == "T01");
  }
  SECTION("T02: the peer is too slow") {
    hub.bob_link.full = true;
    hub.send();
    CHECK(hub.outcome() == "T02");
  }
  SECTION("F01: not a packet") {
    hub.forwarder.handle_prepare(alice, hub.alice_link.id, ++hub.last_request,
                                 std::vector<std::uint8_t>{12, 3, 1, 2, 3}, hub.now);
    CHECK(hub.outcome() == "F01");
  }
  SECTION("F01: a Fulfill is no request") {
    hub.forwarder.handle_prepare(alice, hub.alice_link.id, ++hub.last_request,
                                 make_fulfill(preimage_of(1)), hub.now);
    CHECK(hub.outcome() == "F01");
  }
  CHECK(hub.bob_link.prepares.empty());
  CHECK(hub.held() == 0);
  CHECK(hub.balance(alice) == 0);
}

TEST_CASE("an amount that no balance can hold is T04", "[connector]") {
  Fixture hub;
  hub.send({.amount = UINT64_MAX, .destination = "test.hub.carol"});
  CHECK(hub.outcome() == "T04");
  CHECK(hub.held() == 0);
}

TEST_CASE("amounts in flight count against the balance", "[connector]") {
  Fixture hub;
  hub.send({.number = 1, .amount = 600});
  hub.send({.number = 2, .amount = 600});
  CHECK(hub.outcome() == "T04");
  hub.answer(make_reject("F99"));
  hub.send({.number = 3, .amount = 600});
  CHECK(hub.bob_link.prepares.size() == 2);
}

TEST_CASE("what waits for a peer that is lost is T01", "[connector]") {
  Fixture hub;
  hub.send({.number = 1});
  hub.send({.number = 2, .destination = "test.hub.carol"});
  hub.forwarder.detach(bob, hub.bob_link.id, hub.now);
  REQUIRE(hub.alice_link.replies.size() == 1);
  CHECK(hub.alice_link.replies[0].request_id == 1);
  CHECK(hub.alice_link.replies[0].outcome() == "T01");
  CHECK(hub.forwarder.in_flight() == 1);
}

TEST_CASE("a newer link of an account takes the place of the older", "[connector]") {
  Fixture hub;
  hub.send({.number = 1});
  FakeLink newer(hub.links);
  hub.forwarder.attach(bob, newer.id, hub.now);
  CHECK(hub.outcome() == "T01");
  hub.send({.number = 2});
  CHECK(hub.bob_link.prepares.size() == 1);
  REQUIRE(newer.prepares.size() == 1);
  // That the older one goes away later changes nothing.
  hub.forwarder.detach(bob, hub.bob_link.id, hub.now);
  hub.forwarder.handle_reply(newer.id, newer.prepares[0].request_id, make_fulfill(preimage_of(2)),
                             hub.now);
  CHECK(hub.outcome() == "fulfilled");
}

TEST_CASE("balances are kept although the sender went away before the answer", "[connector]") {
  Fixture hub;
  hub.send();
  hub.links.remove(hub.alice_link.id);
  hub.answer(make_fulfill(preimage_of(1)));
  CHECK(hub.alice_link.replies.empty());
  CHECK(hub.balance(alice) == -100);
  CHECK(hub.balance(bob) == 100);
}

TEST_CASE("the longest prefix of whole segments decides", "[connector]") {
  Config config = hub_config();
  config.routes = {{"test.hub.bob.special", "carol"}, {"test", "bob"}};
  Fixture hub(config);
  hub.send({.destination = "test.hub.bob.special.x"});
  CHECK(hub.carol_link.prepares.size() == 1);
  hub.send({.destination = "test.hub.bob.specially"});
  CHECK(hub.bob_link.prepares.size() == 1);
}

TEST_CASE("over the packet rate is T05 until the bucket has filled again", "[connector]") {
  Config config = hub_config();
  config.accounts[alice].rate_limit = RateLimit{10, 2};
  Fixture hub(config);
  hub.send({.number = 1, .amount = 1});
  hub.send({.number = 2, .amount = 1});
  CHECK(hub.alice_link.replies.empty());
  hub.send({.number = 3, .amount = 1});
  CHECK(hub.outcome() == "T05");
  hub.advance(100ms);
  hub.send({.number = 4, .amount = 1});
  CHECK(hub.bob_link.prepares.size() == 3);
}

TEST_CASE("too many packets in flight is T03 for that account alone", "[connector]") {
  Config config = hub_config();
  config.accounts[alice].maximum_in_flight = 2;
  Fixture hub(config);
  for (std::uint64_t i = 0; i < 3; ++i) hub.send({.number = i, .amount = 1});
  CHECK(hub.outcome() == "T03");
  hub.forwarder.handle_prepare(
      carol, hub.carol_link.id, 1,
      make_prepare({.number = 9, .amount = 1, .expires_at = hub.now.wall + 10s}), hub.now);
  CHECK(hub.carol_link.replies.empty());
  CHECK(hub.bob_link.prepares.size() == 3);
}

TEST_CASE("another unit is converted and rounded down", "[connector]") {
  Config config = hub_config();
  config.accounts[bob].asset_scale = 7;
  Fixture hub(config);
  hub.send({.number = 1, .amount = 250});
  CHECK(hub.bob_link.prepares.at(0).amount == 2);
  hub.answer(make_fulfill(preimage_of(1)));
  CHECK(hub.balance(alice) == -250);
  CHECK(hub.balance(bob) == 2);
  hub.send({.number = 2, .amount = 99});
  CHECK(hub.outcome() == "R01");
}

TEST_CASE("IL-DCP tells an account its address and asset", "[connector]") {
  // The vector's bytes were made by ilp-packet's IL-DCP serializer.
  Config config = hub_config();
  config.accounts[alice].asset_code = "XRP";
  Fixture hub(config);
  const std::array<std::uint8_t, 32> zeros{};
  std::array<std::uint8_t, 32> condition;
  ::SHA256(zeros.data(), zeros.size(), condition.data());
  std::vector<std::uint8_t> packet;
  wire::encode(wire::Prepare{0, hub.now.wall + 10s, condition, "peer.config", {}}, packet);
  hub.forwarder.handle_prepare(alice, hub.alice_link.id, ++hub.last_request, packet, hub.now);
  CHECK(hub.outcome() == "fulfilled");
  const auto reply = wire::decode_packet(hub.alice_link.replies[0].packet);
  const auto data = std::get<wire::Fulfill>(*reply).data;
  CHECK(std::string(data.begin(), data.end()) == std::string("\x0e") + "test.hub.alice\x09\x03XRP");
}

TEST_CASE("while the last packets are drained new ones are refused with T03", "[connector]") {
  Fixture hub;
  hub.send({.number = 1});
  hub.forwarder.refuse_new(true);
  hub.send({.number = 2});
  CHECK(hub.outcome() == "T03");
  hub.forwarder.abandon_all("T00", "over", hub.now);
  REQUIRE(hub.alice_link.replies.size() == 2);
  CHECK(hub.alice_link.replies[1].request_id == 1);
  CHECK(hub.alice_link.replies[1].outcome() == "T00");
  CHECK(hub.held() == 0);
}

TEST_CASE("every answer is counted for the account it came from and the one it went to",
          "[connector]") {
  Fixture hub;
  hub.send({.number = 1});
  hub.answer(make_fulfill(preimage_of(1)));
  hub.send({.number = 2});
  hub.answer(make_reject("T99"));
  hub.send({.number = 3});
  hub.answer(make_reject("F42"));
  hub.send({.destination = "test.nowhere"});
  const Account& from = hub.forwarder.accounts()[alice];
  const Account& to = hub.forwarder.accounts()[bob];
  CHECK(from.incoming[fulfilled_outcome] == 1);
  CHECK(from.incoming[outcome_of("T99")] == 1);
  CHECK(from.incoming[other_outcome] == 1);
  CHECK(from.incoming[outcome_of("F02")] == 1);
  CHECK(to.outgoing[fulfilled_outcome] == 1);
  CHECK(to.outgoing[outcome_of("T99")] == 1);
  CHECK(to.outgoing[outcome_of("F02")] == 0);
}
