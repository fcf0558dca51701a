#include "connector/exchange.hpp"

#include "support/catch.hpp"

using namespace slipway::connector;

namespace {

AccountConfig in(const std::string& code, std::uint8_t scale, std::optional<Ratio> price = {}) {
  AccountConfig account;
  account.asset_code = code;
  account.asset_scale = scale;
  account.price = price;
  return account;
}

}  // namespace

TEST_CASE("the same asset at other scales is a power of ten", "[connector]") {
  CHECK(exchange_ratio(in("USD", 9), in("USD", 9)) == Ratio{1, 1});
  CHECK(exchange_ratio(in("USD", 2), in("USD", 9)) == Ratio{10'000'000, 1});
  CHECK(exchange_ratio(in("USD", 9), in("USD", 2)) == Ratio{1, 10'000'000});
  CHECK_FALSE(exchange_ratio(in("USD", 0), in("USD", 255)));
}

TEST_CASE("other assets need a rate each", "[connector]") {
  CHECK_FALSE(exchange_ratio(in("USD", 2), in("EUR", 2)));
  // 1 EUR is 1.08, 1 USD is 1: 100 cents are 92.59 euro cents.
  const auto ratio = exchange_ratio(in("USD", 2, Ratio{1, 1}), in("EUR", 2, Ratio{27, 25}));
  REQUIRE(ratio);
  CHECK(convert(100, *ratio) == 92U);
  CHECK(convert(10800, *ratio) == 10000U);
}

TEST_CASE("a conversion that does not fit is refused, the largest that fits is not",
          "[connector]") {
  for (const Ratio ratio : {Ratio{10, 1}, Ratio{1000, 7}, Ratio{1, 1}, Ratio{1, 3}}) {
    const std::uint64_t largest = largest_convertible(ratio);
    CHECK(convert(largest, ratio));
    if (largest != UINT64_MAX) CHECK_FALSE(convert(largest + 1, ratio));
  }
}
