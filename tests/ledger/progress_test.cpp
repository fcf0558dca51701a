#include "ledger/progress.hpp"

#include "support/catch.hpp"

using namespace slipway::ledger;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  explicit Fixture(Durability durability)
      : progress({.durability = durability, .interval = 20ms, .at_risk = 50ms}) {}

  Progress progress;
  Progress::TimePoint now{1000s};
};

}  // namespace

TEST_CASE("without a ledger no Fulfill waits and nothing is ever due", "[ledger]") {
  Fixture none(Durability::none);
  CHECK_FALSE(none.progress.committed(none.now));
  CHECK_FALSE(none.progress.due().has_value());
}

TEST_CASE("a batch is due an interval after its first transfer", "[ledger]") {
  Fixture batch(Durability::batch);
  CHECK_FALSE(batch.progress.due().has_value());
  CHECK_FALSE(batch.progress.committed(batch.now));
  CHECK_FALSE(batch.progress.committed(batch.now + 15ms));
  REQUIRE(batch.progress.due().has_value());
  CHECK(*batch.progress.due() == batch.now + 20ms);
}

TEST_CASE("with sync every Fulfill waits for the batch that has its transfer", "[ledger]") {
  Fixture sync(Durability::sync);
  CHECK(sync.progress.committed(sync.now));
  const auto first = sync.progress.open();
  CHECK(*sync.progress.due() == sync.now);
  CHECK(sync.progress.hand_over(sync.now) == first);
  CHECK(sync.progress.committed(sync.now + 1ms));
  CHECK(sync.progress.open() == first + 1);
  CHECK_FALSE(sync.progress.due().has_value());  // one at a time
  sync.progress.succeeded(sync.now + 2ms);
  CHECK(sync.progress.durable() == first);
  CHECK(*sync.progress.due() == sync.now + 1ms);
}

TEST_CASE("Fulfills wait while the oldest transfer that is not durable is too old", "[ledger]") {
  Fixture batch(Durability::batch);
  batch.progress.committed(batch.now);
  batch.progress.hand_over(batch.now + 20ms);
  CHECK_FALSE(batch.progress.committed(batch.now + 50ms));
  CHECK(batch.progress.committed(batch.now + 51ms));
  CHECK(batch.progress.lag(batch.now + 51ms) == 51ms);
  // The first batch is durable; the transfer of 50 ms is the oldest now.
  batch.progress.succeeded(batch.now + 60ms);
  CHECK(batch.progress.lag(batch.now + 60ms) == 10ms);
  CHECK_FALSE(batch.progress.committed(batch.now + 100ms));
  CHECK(batch.progress.committed(batch.now + 101ms));
}

TEST_CASE("what a failed batch had is as old as before, and in the next one", "[ledger]") {
  Fixture batch(Durability::batch);
  batch.progress.committed(batch.now);
  const auto failed = batch.progress.hand_over(batch.now + 20ms);
  batch.progress.committed(batch.now + 30ms);
  batch.progress.failed(batch.now + 40ms);
  CHECK(batch.progress.lag(batch.now + 40ms) == 40ms);
  CHECK(*batch.progress.due() == batch.now + 40ms + Progress::retry_pause);
  const auto next = batch.progress.hand_over(batch.now + 240ms);
  CHECK(next > failed);
  CHECK(batch.progress.lag(batch.now + 240ms) == 240ms);
  batch.progress.succeeded(batch.now + 250ms);
  CHECK(batch.progress.durable() == next);
  CHECK(batch.progress.lag(batch.now + 250ms) == 0ns);
  CHECK_FALSE(batch.progress.due().has_value());
}

TEST_CASE("a failed batch that is handed over again is the same one: nothing is added to it",
          "[ledger]") {
  Fixture batch(Durability::batch);
  batch.progress.committed(batch.now);
  const auto first = batch.progress.hand_over(batch.now + 20ms);
  batch.progress.committed(batch.now + 30ms);
  batch.progress.failed(batch.now + 40ms);
  CHECK(*batch.progress.due() == batch.now + 40ms + Progress::retry_pause);
  batch.progress.hand_over_again(batch.now + 240ms);
  CHECK_FALSE(batch.progress.due().has_value());
  CHECK(batch.progress.lag(batch.now + 240ms) == 240ms);
  batch.progress.succeeded(batch.now + 250ms);
  CHECK(batch.progress.durable() == first);
  CHECK(batch.progress.last_took() == 10ms);
  CHECK(batch.progress.lag(batch.now + 250ms) == 220ms);
  CHECK(*batch.progress.due() == batch.now + 50ms);
}

TEST_CASE("a clock that has not moved is no lag", "[ledger]") {
  Fixture batch(Durability::batch);
  batch.progress.committed(batch.now);
  CHECK(batch.progress.lag(batch.now - 1ms) == 0ns);
}
