#include "ledger/settlement.hpp"

#include "support/catch.hpp"

#include <limits>

using namespace slipway::ledger;

namespace {

const Asset usd{"USD", 9};
const Asset eur{"EUR", 2};

Books books_of(std::vector<PartRow> parts, std::vector<PositionRow> positions = {}) {
  Books books;
  for (const InstanceId id : {1, 2, 3}) books.instances.push_back({.id = id});
  books.parts = std::move(parts);
  books.positions = std::move(positions);
  return books;
}

std::vector<std::string> faults(const Books& books, const std::vector<AccountSpec>& accounts = {}) {
  return faults_of(books, accounts);
}

}  // namespace

TEST_CASE("an ended instance's parts are added to the settled ones, others' are not", "[ledger]") {
  const Books books = books_of({{0, "alice", usd, {-5, -5, -5}},
                                {1, "alice", usd, {-10, -100, 50}},
                                {2, "alice", usd, {7, 0, 9}},
                                {2, "bob", usd, {8, 0, 9}}},
                               {{1, usd, 3}, {2, usd, 4}});
  const auto settlement = settle(books, {1});
  REQUIRE(settlement.has_value());
  REQUIRE(settlement->parts.size() == 1);
  CHECK(settlement->parts[0].account == "alice");
  CHECK(settlement->parts[0].part == Part{-15, -15, -15});
  REQUIRE(settlement->positions.size() == 1);
  CHECK(settlement->positions[0].instance == settled_part);
  CHECK((settlement->positions[0].units == 3));
}

TEST_CASE("several instances that ended are settled at once", "[ledger]") {
  const Books books =
      books_of({{1, "alice", usd, {1, 0, 9}}, {2, "alice", usd, {2, 0, 9}}, {3, "bob", usd, {}}});
  const auto settlement = settle(books, {1, 2});
  REQUIRE(settlement.has_value());
  REQUIRE(settlement->parts.size() == 1);
  CHECK(settlement->parts[0].part.balance == 3);
}

TEST_CASE("a settlement that would not fit, or mix assets, is refused", "[ledger]") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK_FALSE(settle(books_of({{1, "a", usd, {most, 0, most}}, {2, "a", usd, {1, 0, 1}}}), {1, 2})
                  .has_value());
  CHECK_FALSE(settle(books_of({{0, "a", usd, {}}, {1, "a", eur, {1, 0, 1}}}), {1}).has_value());
}

TEST_CASE("books that agree have no faults", "[ledger]") {
  const Books books = books_of({{0, "alice", usd, {-5, -5, -5}},
                                {1, "alice", usd, {-5, -100, 50}},
                                {1, "bob", eur, {1, 0, 9}}},
                               {{1, usd, 10}, {1, eur, -1}});
  CHECK(faults(books, {{"alice", usd, -105, 45}, {"bob", eur, 0, 9}}).empty());
}

TEST_CASE("each fault of the books is found", "[ledger]") {
  const auto only = [](const Books& books, const std::string& says,
                       const std::vector<AccountSpec>& accounts = {}) {
    const auto found = faults_of(books, accounts);
    INFO(says);
    REQUIRE(found.size() == 1);
    CHECK_THAT(found[0], ContainsSubstring(says));
  };
  only(books_of({{0, "alice", usd, {-5, -5, -5}}, {0, "bob", usd, {4, 4, 4}}}), "sum up to -1");
  only(books_of({{1, "alice", usd, {0, 1, 2}}}), "is not within 1 to 2");
  only(books_of({{9, "alice", usd, {0, 0, 0}}}), "settled or unknown");
  only(books_of({{0, "alice", usd, {}}, {1, "alice", eur, {}}}), "in USD/9 and in EUR/2");
  only(books_of({{1, "alice", usd, {0, -7, 0}}}), "below its minimum -6", {{"alice", usd, -6, 0}});
  only(books_of({{1, "alice", usd, {0, 0, 7}}}), "above its maximum 6", {{"alice", usd, 0, 6}});
  only(books_of({{1, "alice", usd, {0, 0, 0}}}), "configured in EUR/2", {{"alice", eur, 0, 6}});
}
