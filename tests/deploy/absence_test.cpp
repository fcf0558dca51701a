// How long the nodes of a cluster may be behind its API server.
#include "deploy/kubernetes/absence.hpp"

#include "deploy/kubernetes/following.hpp"
#include "support/catch.hpp"

using slipway::deploy::Absence;
using slipway::deploy::Following;
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

TEST_CASE("nodes follow a while after the slices are right, however late those are", "[absence]") {
  Following following;
  following.note(false, start);
  CHECK_FALSE(following.done(start + 20s, {}));
  following.note(true, start + 20s);
  following.note(true, start + 21s);
  CHECK_FALSE(following.done(start + 21s, {}));
  CHECK(following.done(start + 21500ms, {}));
}

TEST_CASE("nodes that come back late have a while of their own", "[absence]") {
  Following following;
  following.note(true, start);
  CHECK_FALSE(following.done(start + 11s, start + 10s));
  CHECK(following.done(start + 11500ms, start + 10s));
}

TEST_CASE("slices that are wrong again begin anew", "[absence]") {
  Following following;
  following.note(true, start);
  following.note(false, start + 1s);
  following.note(true, start + 2s);
  CHECK_FALSE(following.done(start + 3s, {}));
  CHECK(following.done(start + 3500ms, {}));
}
