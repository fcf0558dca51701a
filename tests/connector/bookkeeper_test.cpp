// The Bookkeeper on a ledger whose replies get lost: nothing may be counted twice, or not at all.
#include "connector/bookkeeper.hpp"

#include "connector/hub_fixture.hpp"
#include "ledger/reading.hpp"
#include "ledger/settlement.hpp"
#include "support/temporary_directory.hpp"

#include <atomic>
#include <functional>

using namespace slipway;
using namespace slipway::connector;
using namespace slipway::connector::test;

namespace {

// A ledger that others share, as a database of its own behind a network.
class RemoteDatabase : public ledger::Database {
 public:
  explicit RemoteDatabase(const std::string& store)
      : inner_(ledger::open_database(store, false).value()) {}

  Result<void> connect() override {
    if (before_connect) std::exchange(before_connect, nullptr)();
    return inner_->connect();
  }
  Result<void> begin(Access access) override {
    writing_ = access != Access::read;
    return inner_->begin(access);
  }
  Result<void> commit() override {
    auto committed = inner_->commit();
    if (writing_ && lose_replies > 0) {
      --lose_replies;
      return Error{lost_as, "the reply to COMMIT was lost", {}};
    }
    return committed;
  }
  void roll_back() override { inner_->roll_back(); }
  Result<std::vector<ledger::Values>> query(const std::string& sql,
                                            const ledger::Values& parameters) override {
    return inner_->query(sql, parameters);
  }
  Result<std::int64_t> change(const std::string& sql, const ledger::Values& parameters) override {
    return inner_->change(sql, parameters);
  }
  Result<void> change_each(const std::string& sql,
                           const std::vector<ledger::Values>& rows) override {
    return inner_->change_each(sql, rows);
  }
  Result<bool> has_table(const std::string& name) override { return inner_->has_table(name); }
  Result<void> claim(ledger::InstanceId instance) override { return inner_->claim(instance); }
  Result<bool> is_claimed(ledger::InstanceId instance) override {
    if (takes_others_for_dead) return false;
    return inner_->is_claimed(instance);
  }
  Result<std::vector<std::string>> check_integrity() override { return inner_->check_integrity(); }

  // Both are of the thread that uses it, and set while that has nothing to do.
  std::function<void()> before_connect;  // once
  bool takes_others_for_dead = false;
  std::atomic<int> lose_replies = 0;  // of transactions that write
  std::atomic<ErrorKind> lost_as = ErrorKind::unreachable;

 private:
  std::unique_ptr<ledger::Database> inner_;
  bool writing_ = false;
};

Config kept_config(const std::string& store) {
  Config config = hub_config();
  config.ledger.store = store;
  config.ledger.policy = {.durability = ledger::Durability::sync, .interval = 1ms, .at_risk = 50ms};
  return config;
}

struct Books {
  Books() : hub(kept_config(store())) { hub.now = Now::read(); }

  std::string store() const { return "sqlite:" + (folder.path() / "ledger.db").string(); }
  void begin() {
    books.start(5s);
    run_until([&] { return books.failure().empty() && books.lag() == 0ns; });
  }
  // Turns the loop until `done`, which is to come soon.
  void run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      io.run_one_for(100ms);
    }
  }
  void send(std::uint64_t number) {
    hub.now = Now::read();
    hub.send({.number = number, .amount = 100});
  }
  void fulfill(std::uint64_t number) {
    hub.now = Now::read();
    hub.answer(make_fulfill(preimage_of(number)));
    books.after_round();
  }
  // On the ledger's thread, where Catch2 cannot check anything.
  void settle_all() {
    auto theirs = std::make_unique<RemoteDatabase>(store());
    theirs->takes_others_for_dead = true;
    ledger::Store other(std::move(theirs), {.accounts = account_specs(hub.config)});
    if (other.open(true)) ++settled;
  }
  // What the ledger says of the account.
  std::int64_t balance(const std::string& account) const {
    const auto opened = ledger::open_database(store(), true).value();
    REQUIRE(opened->connect().has_value());
    const auto all = ledger::read_books(*opened);
    REQUIRE(all.has_value());
    CHECK(ledger::faults_of(*all, account_specs(hub.config)).empty());
    for (const ledger::Total& total : ledger::totals_of(*all)) {
      if (total.account == account) return static_cast<std::int64_t>(total.balance);
    }
    return 0;
  }

  std::atomic<int> settled = 0;  // how often by others
  slipway::test::TemporaryDirectory folder;
  Fixture hub;
  boost::asio::io_context io;
  Log log{LogLevel::error};
  std::unique_ptr<RemoteDatabase> made = std::make_unique<RemoteDatabase>(store());
  RemoteDatabase& database = *made;
  Bookkeeper books{io, hub.config, hub.forwarder, log, [] {}, std::move(made)};
};

}  // namespace

TEST_CASE("a batch whose reply was lost is counted once, also by who takes us for dead",
          "[connector]") {
  Books kept;
  kept.begin();
  kept.send(1);
  kept.fulfill(1);
  kept.run_until([&] { return kept.books.lag() == 0ns; });
  kept.send(2);
  kept.send(3);
  kept.database.lose_replies = 1;
  kept.database.before_connect = [&] { kept.settle_all(); };
  kept.fulfill(3);
  kept.run_until([&] { return !kept.books.failure().empty(); });
  // In flight when the ledger failed: no part of the batch that was counted.
  kept.hub.forwarder.handle_reply(kept.hub.bob_link.id, kept.hub.bob_link.prepares[1].request_id,
                                  make_fulfill(preimage_of(2)), Now::read());
  kept.run_until([&] { return kept.books.failure().empty() && kept.books.lag() == 0ns; });
  CHECK(kept.settled == 1);
  CHECK(kept.balance("bob") == 300);
  CHECK(kept.hub.balance(bob) == 300);
  CHECK(kept.hub.alice_link.replies.size() == 3);
  CHECK(kept.books.close(5s));
  CHECK(kept.balance("bob") == 300);
}

TEST_CASE("whoever takes us for dead twice over, and whatever replies are lost, the sum is right",
          "[connector]") {
  Books kept;
  kept.begin();
  std::uint64_t number = 0;
  for (int round = 0; round < 3; ++round) {
    kept.send(++number);
    kept.fulfill(number);
    // Of the batch, twice that we were taken for dead, and that we have begun anew.
    kept.database.lose_replies = 4;
    kept.database.before_connect = [&] { kept.settle_all(); };
    kept.run_until([&] { return kept.books.failure().empty() && kept.books.lag() == 0ns; });
    CHECK(kept.settled == round + 1);
  }
  CHECK(kept.balance("bob") == 300);
  CHECK(kept.books.close(5s));
  CHECK(kept.balance("bob") == 300);
}

TEST_CASE("a close whose reply was lost has closed", "[connector]") {
  Books kept;
  kept.begin();
  kept.send(1);
  kept.fulfill(1);
  kept.run_until([&] { return kept.books.lag() == 0ns; });
  kept.database.lose_replies = 1;
  CHECK(kept.books.close(5s));
  CHECK(kept.balance("bob") == 100);
}

TEST_CASE("whoever is to end just when it was taken for dead writes what is left", "[connector]") {
  Books kept;
  kept.begin();
  kept.send(1);
  kept.fulfill(1);
  kept.run_until([&] { return kept.books.lag() == 0ns; });
  kept.settle_all();
  kept.send(2);
  kept.fulfill(2);  // under way, and told of nobody before the end
  const bool knows = GENERATE(false, true);
  if (knows) kept.run_until([&] { return !kept.books.failure().empty(); });
  CHECK(kept.books.close(5s));
  CHECK(kept.settled == 1);
  CHECK(kept.balance("bob") == 200);
}

TEST_CASE("whoever is to end after a batch whose reply was lost counts it once", "[connector]") {
  Books kept;
  kept.begin();
  kept.send(1);
  kept.send(2);
  kept.database.lose_replies = 1;
  kept.fulfill(2);
  kept.run_until([&] { return !kept.books.failure().empty(); });
  kept.hub.forwarder.handle_reply(kept.hub.bob_link.id, kept.hub.bob_link.prepares[0].request_id,
                                  make_fulfill(preimage_of(1)), Now::read());
  const bool is_settled = GENERATE(false, true);
  if (is_settled) kept.settle_all();
  CHECK(kept.books.close(5s));
  CHECK(kept.balance("bob") == 200);
}

TEST_CASE("a ledger that is found damaged is opened anew, as a copy may lie there", "[connector]") {
  Books kept;
  kept.begin();
  std::atomic<int> opened = 0;
  kept.database.before_connect = [&] { ++opened; };
  kept.database.lost_as = ErrorKind::corrupt;
  kept.database.lose_replies = 1;
  kept.send(1);
  kept.fulfill(1);
  kept.run_until([&] { return !kept.books.failure().empty(); });
  kept.run_until([&] { return kept.books.failure().empty() && kept.books.lag() == 0ns; });
  CHECK(opened == 1);
  CHECK(kept.books.close(5s));
  CHECK(kept.balance("bob") == 100);
}
