#include "connector/pending_table.hpp"

#include "support/catch.hpp"

#include <map>
#include <random>

using namespace slipway::connector;
using namespace std::chrono_literals;

TEST_CASE("packets expire in time, each once, in any order of deadlines", "[connector]") {
  std::mt19937 random(7);
  INFO("seed 7");
  const PendingTable::TimePoint start{100s};
  PendingTable table(start);
  std::map<std::uint32_t, PendingTable::TimePoint> waiting;
  std::size_t expired = 0;
  for (int step = 0; step < 20'000; ++step) {
    const PendingTable::TimePoint now = start + step * 5ms;
    if (step < 19'000 && step % 2 == 0) {
      Pending pending{};
      pending.started = now;
      // Up to 50 s: longer than the wheel's turn of 33 s.
      pending.deadline = now + std::chrono::milliseconds(random() % 50'000);
      waiting.emplace(table.add(pending), pending.deadline);
    }
    if (!waiting.empty() && random() % 4 == 0) {
      const auto some = std::next(waiting.begin(), static_cast<long>(random() % waiting.size()));
      REQUIRE(table.find(some->first) != nullptr);
      table.remove(some->first);
      CHECK(table.find(some->first) == nullptr);
      waiting.erase(some);
    }
    table.expire(now, [&](std::uint32_t id, Pending& pending) {
      CHECK(pending.deadline <= now);
      REQUIRE(waiting.erase(id) == 1);
      table.remove(id);
      ++expired;
    });
  }
  const auto late = start + 19'999 * 5ms - 2 * PendingTable::resolution;
  for (const auto& [id, deadline] : waiting) CHECK(deadline > late);
  CHECK(expired > 1000);
  CHECK(table.size() == waiting.size());
}

TEST_CASE("a request id is not used again at once", "[connector]") {
  PendingTable table(PendingTable::TimePoint{1s});
  const std::uint32_t first = table.add({});
  table.remove(first);
  CHECK(table.add({}) != first);
  CHECK(table.find(first) == nullptr);
}
