#include "service/nearest.hpp"

#include "support/catch.hpp"

using slipway::service::nearest;

TEST_CASE("a slip of the finger finds the word that was meant") {
  const std::vector<std::string> known{"service", "port", "ready", "health", "healthy", "request"};
  CHECK(nearest("servise", known) == "service");
  CHECK(nearest("prot", known) == "port");
  CHECK(nearest("redy", known) == "ready");
  CHECK(nearest("helth", known) == "health");
  CHECK(nearest("healthx", known) == "health");
  CHECK(nearest("reqeust", known) == "request");
}

TEST_CASE("a word that resembles none is not guessed") {
  const std::vector<std::string> known{"service", "port"};
  CHECK(nearest("kubernetes", known).empty());
  CHECK(nearest("x", known).empty());
  CHECK(nearest("", known).empty());
  CHECK(nearest(std::string(5000, 'a'), known).empty());
  CHECK(nearest("port", {}).empty());
}
