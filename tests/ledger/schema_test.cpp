// What a change of the tables asks of the image that brings it.
#include "ledger/schema.hpp"

#include "base/durable_file.hpp"
#include "support/catch.hpp"

#include <algorithm>

using namespace slipway;
using namespace slipway::ledger;

TEST_CASE(
    "the image says how far back it may be taken as soon as an older connector cannot read "
    "its ledger",
    "[schema]") {
  const auto& steps = migrations();
  REQUIRE_FALSE(steps.empty());
  const bool all_can_read = std::all_of(
      steps.begin(), steps.end(), [](const Migration& step) { return step.oldest_reader == 1; });
  const auto dockerfile = read_file(DOCKERFILE);
  REQUIRE(dockerfile.has_value());
  const bool says = dockerfile->find("io.slipway.oldest-return") != std::string::npos;
  INFO(
      "a rollback to a connector that cannot read the ledger is refused only if the label "
      "io.slipway.oldest-return in the Dockerfile names the first version that can");
  CHECK(says == !all_can_read);
}

TEST_CASE("each form of the ledger follows the one before, and no reader is newer than it",
          "[schema]") {
  int schema = 0;
  for (const Migration& step : migrations()) {
    CHECK(step.schema == ++schema);
    CHECK((step.oldest_reader >= 1 && step.oldest_reader <= step.schema));
  }
}
