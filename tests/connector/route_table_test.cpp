#include "connector/route_table.hpp"

#include "support/catch.hpp"

#include <map>
#include <random>

using namespace slipway::connector;

TEST_CASE("a route matches whole segments only", "[connector]") {
  RouteTable routes;
  routes.add("g.a", 1);
  CHECK(routes.find("g.a") == 1U);
  CHECK(routes.find("g.a.b") == 1U);
  CHECK_FALSE(routes.find("g.ab"));
  CHECK_FALSE(routes.find("g"));
  CHECK_FALSE(routes.find("g.b"));
}

TEST_CASE("an empty table finds nothing and the empty prefix everything", "[connector]") {
  RouteTable routes;
  CHECK_FALSE(routes.find("g.a"));
  routes.add("", 5);
  CHECK(routes.find("g.a") == 5U);
  routes.add("g.a", 1);
  CHECK(routes.find("g.a.x") == 1U);
  CHECK(routes.find("g.b") == 5U);
}

TEST_CASE("a prefix added again replaces the earlier one", "[connector]") {
  RouteTable routes;
  routes.add("g.a", 1);
  routes.add("g.a", 2);
  CHECK(routes.find("g.a") == 2U);
  CHECK(routes.size() == 1);
}

TEST_CASE("lookups agree with a search through all prefixes", "[connector]") {
  std::mt19937 random(42);
  INFO("seed 42");
  const auto segment = [&] {
    return std::string(1 + random() % 2, static_cast<char>('a' + random() % 3));
  };
  RouteTable routes;
  std::map<std::string, AccountIndex> reference;
  for (AccountIndex i = 0; i < 2000; ++i) {
    std::string prefix = "g";
    for (unsigned depth = random() % 5; depth > 0; --depth) prefix += "." + segment();
    routes.add(prefix, i);
    reference[prefix] = i;
  }
  for (int i = 0; i < 20'000; ++i) {
    std::string address = random() % 10 == 0 ? "x" : "g";
    for (unsigned depth = random() % 7; depth > 0; --depth) address += "." + segment();
    std::optional<AccountIndex> expected;
    for (std::string prefix = address;; prefix.resize(prefix.rfind('.'))) {
      const auto found = reference.find(prefix);
      if (found != reference.end()) {
        expected = found->second;
        break;
      }
      if (prefix.find('.') == std::string::npos) break;
    }
    CHECK(routes.find(address) == expected);
  }
}
