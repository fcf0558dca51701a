#include "slipway/cli/repository.hpp"

#include "support/catch.hpp"

using slipway::front::slug_of_remote;

TEST_CASE("owner and name are read out of a remote's address") {
  CHECK(slug_of_remote("https://github.com/acme/price-api.git\n") == "acme/price-api");
  CHECK(slug_of_remote("git@github.com:acme/price-api.git") == "acme/price-api");
  CHECK(slug_of_remote("ssh://git@github.com:22/acme/price-api") == "acme/price-api");
  CHECK(slug_of_remote("https://github.com/acme/price-api/") == "acme/price-api");
  CHECK(slug_of_remote("price-api").empty());
  CHECK(slug_of_remote("").empty());
}
