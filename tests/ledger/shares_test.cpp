#include "ledger/shares.hpp"

#include "ledger/settlement.hpp"
#include "support/catch.hpp"

#include <limits>
#include <map>
#include <random>

#include <fmt/core.h>

using namespace slipway::ledger;

namespace {

constexpr auto least = std::numeric_limits<std::int64_t>::min();
constexpr auto most = std::numeric_limits<std::int64_t>::max();
const Asset usd{"USD", 9};

// An instance as it is in memory, and what of it is written.
struct Member {
  Part part;
  Part written;
  std::int64_t held_debit = 0;
  std::int64_t held_credit = 0;
  bool wants = true;

  Own own() const { return {part, held_debit, held_credit, wants}; }
};

// Instances that share one account, with the ledger as what is between them.
struct Sharing {
  AccountSpec account{"alice", usd, -1000, 1000};
  std::int64_t settled = 0;
  std::map<InstanceId, Member> members;

  Books books() const {
    Books all;
    all.parts.push_back({settled_part, account.id, usd, {settled, settled, settled}});
    for (const auto& [id, member] : members) {
      all.instances.push_back({.id = id, .wants_room = member.wants});
      all.parts.push_back({id, account.id, usd, member.written});
    }
    return all;
  }
  Others others_of(InstanceId id) const { return sum_of_others(books(), {account}, id)[0]; }

  void share(InstanceId id) {
    Member& member = members[id];
    const Change change = rebalance(account, member.own(), others_of(id));
    member.part.floor += change.give_below;
    member.part.ceiling -= change.give_above;
    member.written = member.part;
    member.part = member.written = take(account, member.written, others_of(id), change);
  }
  void settle_all() {
    for (int round = 0; round < 20; ++round) {
      for (const auto& [id, member] : std::map(members)) share(id);
    }
  }
  Wide total() const {
    Wide sum = settled;
    for (const auto& [id, member] : members) sum += member.part.balance;
    return sum;
  }
};

}  // namespace

TEST_CASE("who is alone has all of the account's room", "[ledger]") {
  Sharing one;
  one.settled = -300;
  one.share(1);
  CHECK(one.members[1].part == Part{0, -700, 1300});
}

TEST_CASE("an account without limits is shared without overflow", "[ledger]") {
  Sharing two;
  two.account.minimum = least;
  two.account.maximum = most;
  two.settled = 5;
  two.share(1);
  CHECK(two.members[1].part.floor == least);
  CHECK(two.members[1].part.ceiling == most - 5);
  two.share(2);
  two.settle_all();
  CHECK(two.members[2].part.floor < least / 4);
  CHECK(two.members[2].part.ceiling > most / 4);
  CHECK(faults_of(two.books(), {two.account}).size() == 1);  // 5 of nobody
}

TEST_CASE("who joins gets half, and all once the other wants none", "[ledger]") {
  Sharing two;
  two.share(1);
  two.share(2);
  CHECK(two.members[2].part == Part{0, 0, 0});
  CHECK_FALSE(has_share(two.account, two.members[2].own(), two.others_of(2)));
  two.settle_all();
  CHECK(two.members[1].part == Part{0, -500, 500});
  CHECK(two.members[2].part == Part{0, -500, 500});
  CHECK(has_share(two.account, two.members[2].own(), two.others_of(2)));
  two.members[1].wants = false;
  two.settle_all();
  CHECK(two.members[1].part == Part{0, 0, 0});
  CHECK(two.members[2].part == Part{0, -1000, 1000});
}

TEST_CASE("what is held for packets in flight is not given away", "[ledger]") {
  Sharing two;
  two.share(1);
  two.members[1].held_debit = 900;
  two.members[1].held_credit = 100;
  two.members[1].wants = false;
  two.share(2);
  two.settle_all();
  CHECK(two.members[1].part == Part{0, -900, 100});
  CHECK(two.members[2].part == Part{0, -100, 900});
}

TEST_CASE("limits that were tightened are reached as soon as there is room to give", "[ledger]") {
  Sharing one;
  one.share(1);
  one.account.minimum = -10;
  one.account.maximum = 10;
  one.share(1);
  CHECK(one.members[1].part == Part{0, -10, 10});
}

TEST_CASE("no account leaves its limits, whoever joins, pays, ends or asks when", "[ledger]") {
  const auto seed = static_cast<unsigned>(std::random_device()());
  INFO("seed " << seed);
  std::mt19937 random(seed);
  Sharing all;
  int moved = 0;
  const auto pick = [&] {
    auto at = all.members.begin();
    std::advance(at, random() % all.members.size());
    return at;
  };
  for (int step = 0; step < 200'000; ++step) {
    if (all.members.empty() || (all.members.size() < 4 && random() % 500 == 0)) {
      all.share(step + 1);
    }
    const auto at = pick();
    Member& member = at->second;
    const auto amount = static_cast<std::int64_t>(1 + random() % 200);
    switch (random() % 12) {
      case 0:
        if (member.part.balance - member.held_debit - amount >= member.part.floor) {
          member.held_debit += amount;
        }
        break;
      case 1:
        if (member.part.balance + member.held_credit + amount <= member.part.ceiling) {
          member.held_credit += amount;
        }
        break;
      case 2:
      case 3:
        moved += member.held_debit > 0;
        member.part.balance -= std::exchange(member.held_debit, 0);
        break;
      case 4:
      case 5:
        moved += member.held_credit > 0;
        member.part.balance += std::exchange(member.held_credit, 0);
        break;
      case 6:
        member.wants = random() % 2 == 0;
        break;
      case 7:
        // It ends: what it had not written is lost with it.
        if (random() % 50 == 0) {
          all.settled += member.written.balance;
          all.members.erase(at);
        }
        break;
      case 8:
        member.written = member.part;
        break;
      default:
        all.share(at->first);
    }
    // What is in memory, and what is written, each with everything that is held.
    Wide lowest = all.settled;
    Wide highest = all.settled;
    for (const auto& [id, one] : all.members) {
      lowest += one.part.balance - one.held_debit;
      highest += one.part.balance + one.held_credit;
    }
    if (lowest < all.account.minimum || highest > all.account.maximum) {
      FAIL(fmt::format("step {}: {} to {}", step, to_decimal(lowest), to_decimal(highest)));
    }
  }
  CHECK(moved > 1000);
}
