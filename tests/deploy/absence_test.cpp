// How long the nodes of a cluster may be behind an API server that was away.
#include "deploy/kubernetes/absence.hpp"

#include "support/catch.hpp"

using slipway::deploy::Absence;
using namespace std::chrono_literals;

namespace {

const Absence::TimePoint start{1000s};

}  // namespace

TEST_CASE("nodes are waited for three times as long as nobody answered", "[absence]") {
  Absence absence;
  absence.note(true, start);
  CHECK(absence.nodes_back() <= start);
  absence.note(false, start + 1s);
  absence.note(false, start + 4s);
  absence.note(true, start + 5s);
  CHECK(absence.nodes_back() == start + 5s + 15s);
}

TEST_CASE("a second, shorter absence of a server that begins shortens nothing", "[absence]") {
  Absence absence;
  absence.note(true, start);
  absence.note(false, start + 1s);
  absence.note(true, start + 5s);
  absence.note(false, start + 5200ms);
  absence.note(true, start + 5400ms);
  CHECK(absence.nodes_back() == start + 20s);
}

TEST_CASE("nodes are waited for a minute at most, and a server never met is away from then on",
          "[absence]") {
  Absence absence;
  absence.note(false, start);
  absence.note(true, start + 30s);
  CHECK(absence.nodes_back() == start + 90s);
}
