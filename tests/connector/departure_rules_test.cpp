// When a draining connector sends each of its peers away.
#include "connector/departure_rules.hpp"

#include "support/catch.hpp"

using slipway::connector::DepartureRules;
using namespace std::chrono_literals;

namespace {

using Peer = DepartureRules::Peer;
constexpr auto timeout = 10s;

}  // namespace

TEST_CASE("peers have turns at an even pace, and the last one's is an eighth of the drain at most",
          "[connector]") {
  CHECK(DepartureRules(1, timeout).turn(0) == 0ns);
  CHECK(DepartureRules(0, timeout).turn(0) == 0ns);
  const DepartureRules some(100, timeout);
  CHECK(some.turn(1) == 250us);
  CHECK(some.turn(99) == 24750us);
  const DepartureRules many(100'000, timeout);
  CHECK(many.turn(1) == 12500ns);
  CHECK(many.turn(99'999) < 1250ms);
  const DepartureRules hasty(5'000, 400ms);
  CHECK(hasty.turn(5'000) == 50ms);
}

TEST_CASE("who moves by itself goes first, the payees among them before all, and other payees last",
          "[connector]") {
  const int told_payee = DepartureRules::group(true, true);
  const int told = DepartureRules::group(true, false);
  const int sender = DepartureRules::group(false, false);
  const int payee = DepartureRules::group(false, true);
  CHECK(told_payee < told);
  CHECK(told < sender);
  CHECK(sender < payee);
}

TEST_CASE("nobody is closed with something unanswered, however long ago its turn was",
          "[connector]") {
  for (const bool told : {false, true}) {
    for (const bool paid : {false, true}) {
      const Peer peer{
          .told = told, .paid = paid, .unanswered = 1, .unpaid_for = 10s, .since_turn = 10s};
      CHECK_FALSE(DepartureRules::may_close(peer, false));
    }
  }
}

TEST_CASE("who only sends is closed at its turn, whoever else is left", "[connector]") {
  CHECK(DepartureRules::may_close({.unpaid_for = 0ns}, true));
}

TEST_CASE("who was told to move is not closed meanwhile, and later as any other", "[connector]") {
  Peer peer{.told = true, .unpaid_for = 10s, .since_turn = DepartureRules::patience - 1ns};
  CHECK_FALSE(DepartureRules::may_close(peer, false));
  peer.since_turn = DepartureRules::patience;
  CHECK(DepartureRules::may_close(peer, true));
}

TEST_CASE("no more are told to move while 64 are on their way", "[connector]") {
  CHECK(DepartureRules::may_tell(63));
  CHECK_FALSE(DepartureRules::may_tell(64));
}

TEST_CASE("who has moved stays until all have gone, for what others still send it", "[connector]") {
  CHECK_FALSE(DepartureRules::may_close(
      {.told = true, .moved = true, .unpaid_for = 10s, .since_turn = 10s}, false));
}

TEST_CASE("who is paid is closed once nobody pays it any more, or later anyway", "[connector]") {
  Peer peer{.paid = true, .unpaid_for = DepartureRules::quiet};
  CHECK(DepartureRules::may_close(peer, false));
  CHECK_FALSE(DepartureRules::may_close(peer, true));
  peer.unpaid_for -= 1ns;
  CHECK_FALSE(DepartureRules::may_close(peer, false));
  peer.since_turn = DepartureRules::patience;
  CHECK(DepartureRules::may_close(peer, true));
}

TEST_CASE("others are kept for who still sends, and not for payees or who does not move",
          "[connector]") {
  CHECK(DepartureRules::may_pay({.unanswered = 1}));
  CHECK(DepartureRules::may_pay({.told = true, .paid = true}));
  CHECK_FALSE(DepartureRules::may_pay({.told = true, .moved = true}));
  CHECK_FALSE(DepartureRules::may_pay({.told = true, .since_turn = DepartureRules::patience}));
  CHECK_FALSE(DepartureRules::may_pay({.paid = true, .unanswered = 1}));
}
