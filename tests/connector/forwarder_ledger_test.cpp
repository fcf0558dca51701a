// The forwarder and its ledger: which Fulfills wait, and what it says has changed.
#include "connector/hub_fixture.hpp"

using namespace slipway;
using namespace slipway::connector;
using namespace slipway::connector::test;

namespace {

Config kept(ledger::Durability durability) {
  Config config = hub_config();
  config.ledger.policy = {.durability = durability, .interval = 20ms, .at_risk = 50ms};
  return config;
}

struct KeptHub : Fixture {
  explicit KeptHub(ledger::Durability durability) : Fixture(kept(durability)) {}

  void pay(std::uint64_t number) {
    send({.number = number, .amount = 100});
    answer(make_fulfill(preimage_of(number)));
  }
  // The ledger has everything so far.
  void write() {
    forwarder.progress().hand_over(now.steady);
    forwarder.progress().succeeded(now.steady);
    forwarder.release_fulfills(now);
  }
};

}  // namespace

TEST_CASE("with sync a Fulfill waits until its transfer is durable", "[connector]") {
  KeptHub hub(ledger::Durability::sync);
  hub.pay(1);
  CHECK(hub.alice_link.replies.empty());
  CHECK(hub.balance(bob) == 100);
  CHECK(hub.forwarder.in_flight() == 1);
  hub.forwarder.release_fulfills(hub.now);
  CHECK(hub.alice_link.replies.empty());
  hub.write();
  CHECK(hub.outcome() == "fulfilled");
  CHECK(hub.alice_link.replies[0].packet == make_fulfill(preimage_of(1)));
  CHECK(hub.forwarder.in_flight() == 0);
}

TEST_CASE("a Fulfill that waits goes on only with the batch that has its transfer", "[connector]") {
  KeptHub hub(ledger::Durability::sync);
  hub.pay(1);
  hub.forwarder.progress().hand_over(hub.now.steady);
  hub.pay(2);
  hub.forwarder.progress().succeeded(hub.now.steady);
  hub.forwarder.release_fulfills(hub.now);
  CHECK(hub.alice_link.replies.size() == 1);
  hub.write();
  CHECK(hub.alice_link.replies.size() == 2);
}

TEST_CASE("after a failed batch its Fulfills go on with the next", "[connector]") {
  KeptHub hub(ledger::Durability::sync);
  hub.pay(1);
  hub.forwarder.progress().hand_over(hub.now.steady);
  hub.forwarder.progress().failed(hub.now.steady);
  hub.forwarder.release_fulfills(hub.now);
  CHECK(hub.alice_link.replies.empty());
  hub.write();
  CHECK(hub.outcome() == "fulfilled");
}

TEST_CASE("a Fulfill that waits is not rejected by time, a lost link or the end of a drain",
          "[connector]") {
  KeptHub hub(ledger::Durability::sync);
  hub.pay(1);
  hub.advance(60s);
  hub.forwarder.expire(hub.now);
  hub.forwarder.detach(bob, hub.bob_link.id, hub.now);
  hub.forwarder.abandon_all("T00", "over", hub.now);
  CHECK(hub.alice_link.replies.empty());
  CHECK(hub.balance(bob) == 100);
  hub.write();
  CHECK(hub.outcome() == "fulfilled");
}

TEST_CASE("a second answer to a packet whose Fulfill waits finds nothing", "[connector]") {
  KeptHub hub(ledger::Durability::sync);
  hub.pay(1);
  hub.answer(make_reject("F99"));
  CHECK(hub.forwarder.late_replies() == 1);
  hub.write();
  CHECK(hub.outcome() == "fulfilled");
  CHECK(hub.alice_link.replies.size() == 1);
}

TEST_CASE("with batch a Fulfill goes on at once, until too much is not durable", "[connector]") {
  KeptHub hub(ledger::Durability::batch);
  hub.pay(1);
  CHECK(hub.outcome() == "fulfilled");
  hub.advance(50ms);
  hub.pay(2);
  CHECK(hub.outcome() == "fulfilled");
  hub.advance(1ms);
  hub.pay(3);
  CHECK(hub.alice_link.replies.size() == 2);
  hub.write();
  CHECK(hub.alice_link.replies.size() == 3);
  hub.pay(4);
  CHECK(hub.outcome() == "fulfilled");
}

TEST_CASE("Fulfills that will never be durable are given up, and their senders are not told",
          "[connector]") {
  KeptHub hub(ledger::Durability::sync);
  hub.pay(1);
  hub.pay(2);
  CHECK(hub.forwarder.abandon_fulfills() == 2);
  CHECK(hub.forwarder.in_flight() == 0);
  CHECK(hub.forwarder.accounts()[alice].in_flight == 0);
  hub.write();
  CHECK(hub.alice_link.replies.empty());
}

TEST_CASE("while the ledger fails a Prepare is T00, and what is in flight goes on", "[connector]") {
  KeptHub hub(ledger::Durability::batch);
  hub.send({.number = 1, .amount = 100});
  hub.forwarder.refuse_for_ledger(true);
  hub.send({.number = 2, .amount = 100});
  CHECK(hub.outcome() == "T00");
  hub.answer(make_fulfill(preimage_of(1)));
  CHECK(hub.balance(bob) == 100);
  hub.forwarder.refuse_for_ledger(false);
  hub.pay(3);
  CHECK(hub.outcome() == "fulfilled");
}

TEST_CASE("an account that changed is named once, and again after another change", "[connector]") {
  KeptHub hub(ledger::Durability::batch);
  hub.pay(1);
  hub.pay(2);
  CHECK(hub.forwarder.take_changed() == std::vector<AccountIndex>{alice, bob});
  CHECK(hub.forwarder.take_changed().empty());
  hub.send({.number = 3, .amount = 100});
  hub.answer(make_reject("F99"));
  CHECK(hub.forwarder.take_changed().empty());
  hub.pay(4);
  CHECK(hub.forwarder.take_changed().size() == 2);
}

TEST_CASE("what exchanging and rounding leaves is the connector's own position", "[connector]") {
  Config config = kept(ledger::Durability::batch);
  config.accounts[alice].asset_code = "EUR";
  config.accounts[alice].price = Ratio{3, 2};
  config.accounts[bob].price = Ratio{1, 1};
  Fixture hub(config);
  hub.send({.number = 1, .amount = 101});
  CHECK(hub.bob_link.prepares.back().amount == 151);
  hub.answer(make_fulfill(preimage_of(1)));
  auto& positions = hub.forwarder.positions();
  CHECK((positions[ledger::Asset{"EUR", 9}] == 101));
  CHECK((positions[ledger::Asset{"USD", 9}] == -151));
  CHECK(positions.size() == 2);
}

TEST_CASE("an account moves only within its part of its limits", "[connector]") {
  KeptHub hub(ledger::Durability::batch);
  hub.forwarder.balance(alice).set_limits(-100, 0);
  hub.pay(1);
  CHECK_FALSE(hub.forwarder.take_short());
  hub.send({.number = 2, .amount = 1});
  CHECK(hub.outcome() == "T04");
  CHECK(hub.forwarder.take_short());
  hub.forwarder.balance(alice).set_limits(-101, 0);
  hub.pay(3);
  CHECK(hub.outcome() == "T04");
  hub.send({.number = 4, .amount = 1});
  CHECK(hub.forwarder.balance(alice).held_debit() == 1);
}
