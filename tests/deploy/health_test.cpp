#include "deploy/model/health.hpp"

#include "deploy/model/bake.hpp"
#include "deploy/model/release.hpp"
#include "support/catch.hpp"

using namespace slipway;
using namespace slipway::deploy;
using namespace std::chrono_literals;

namespace {

using TimePoint = HealthGate::TimePoint;

HealthAnswer good() {
  HealthAnswer answer;
  answer.status = 200;
  answer.well_formed = true;
  answer.health = "pass";
  answer.release_id = "abc";
  answer.role = "standby";
  answer.ready = true;
  return answer;
}

Look look(Result<HealthAnswer> answer) {
  Look made;
  made.answer = std::move(answer);
  return made;
}

service::HealthRules rules() {
  service::HealthRules made;
  made.healthy_in_a_row = 3;
  made.minimum_healthy = 1s;
  made.deadline = 10s;
  return made;
}

}  // namespace

TEST_CASE("healthy takes N answers in a row and a minimum time", "[health]") {
  HealthGate gate(rules(), {"abc"}, TimePoint{});
  CHECK(gate.feed(TimePoint{} + 100ms, look(good())) == HealthGate::State::waiting);
  CHECK(gate.feed(TimePoint{} + 200ms, look(good())) == HealthGate::State::waiting);
  CHECK(gate.feed(TimePoint{} + 300ms, look(good())) == HealthGate::State::waiting);
  CHECK(gate.feed(TimePoint{} + 1100ms, look(good())) == HealthGate::State::healthy);
}

TEST_CASE("a flapping service starts counting anew and runs into the deadline", "[health]") {
  HealthGate gate(rules(), {"abc"}, TimePoint{});
  auto unready = good();
  unready.ready = false;
  for (int i = 1; i < 100; ++i) {
    const auto state = gate.feed(TimePoint{} + i * 100ms, look(i % 3 == 0 ? unready : good()));
    REQUIRE(state == HealthGate::State::waiting);
  }
  CHECK(gate.feed(TimePoint{} + 10s, look(unready)) == HealthGate::State::hopeless);
}

TEST_CASE("another version's answer is hopeless at once", "[health]") {
  HealthGate gate(rules(), {"abc"}, TimePoint{});
  auto liar = good();
  liar.release_id = "other";
  CHECK(gate.feed(TimePoint{} + 1ms, look(liar)) == HealthGate::State::hopeless);
  CHECK_THAT(gate.reason(), ContainsSubstring("other"));
}

TEST_CASE("a container that ended or was restarted is hopeless at once", "[health]") {
  Look ended = look(good());
  ended.running = false;
  ended.exit_code = 3;
  HealthGate gate(rules(), {"abc"}, TimePoint{});
  CHECK(gate.feed(TimePoint{} + 1ms, ended) == HealthGate::State::hopeless);
  CHECK_THAT(gate.reason(), ContainsSubstring("status 3"));
  Look restarted = look(good());
  restarted.restart_count = 1;
  HealthGate second(rules(), {"abc"}, TimePoint{});
  CHECK(second.feed(TimePoint{} + 1ms, restarted) == HealthGate::State::hopeless);
}

TEST_CASE("of several instances all must be ready, and what keeps one from it is said",
          "[health]") {
  HealthGate gate(rules(), {"abc"}, TimePoint{});
  Look some = look(good());
  some.ready = 2;
  some.desired = 3;
  some.reason = "0/2 nodes are available";
  for (int i = 1; i < 50; ++i) {
    REQUIRE(gate.feed(TimePoint{} + i * 100ms, some) == HealthGate::State::waiting);
  }
  CHECK(gate.reason() == "2 of 3 instances are ready: 0/2 nodes are available");
  some.running = false;
  CHECK(gate.feed(TimePoint{} + 6s, some) == HealthGate::State::hopeless);
  CHECK(gate.reason() == "it does not run: 0/2 nodes are available");
}

TEST_CASE("a releaseId that only looks right is wrong, and is shown without what it hides",
          "[health]") {
  auto liar = good();
  liar.release_id = "a\x1b[0mbc";
  CHECK(objection(liar, {"abc"}) == "/health shows releaseId abc, the image is abc");
}

TEST_CASE("an error, a redirect, a fail and a missing body are unhealthy, not hopeless",
          "[health]") {
  HealthGate gate(rules(), {"abc"}, TimePoint{});
  auto redirect = HealthAnswer{};
  redirect.status = 302;
  auto failing = good();
  failing.health = "fail";
  auto error503 = good();
  error503.status = 503;
  for (const auto& answer : {Result<HealthAnswer>(Error{ErrorKind::timeout, "no answer", {}}),
                             Result<HealthAnswer>(redirect), Result<HealthAnswer>(failing),
                             Result<HealthAnswer>(error503)}) {
    CHECK(gate.feed(TimePoint{} + 1ms, look(answer)) == HealthGate::State::waiting);
    CHECK(gate.in_a_row() == 0);
  }
}

TEST_CASE(
    "of an image that cannot say its version the page need only answer 200, and the image be it",
    "[health]") {
  const Expectation any{"", "/", "/"};
  auto page = HealthAnswer{};
  page.status = 200;
  page.ready = true;
  CHECK_FALSE(objection(page, any));
  HealthGate gate(rules(), any, TimePoint{});
  CHECK(gate.feed(TimePoint{} + 1ms, look(page)) == HealthGate::State::waiting);
  CHECK(gate.in_a_row() == 1);
  Look stranger = look(page);
  stranger.wrong_image = "the engine runs another image";
  CHECK(gate.feed(TimePoint{} + 2ms, stranger) == HealthGate::State::hopeless);
  CHECK(gate.reason() == "the engine runs another image");
  page.status = 404;
  CHECK(objection(page, any) == "/ answered 404");
  CHECK(objection(page, {"abc", "/up"}) == "/up answered 404 without JSON");
}

TEST_CASE("image references are read as the registries read them", "[release]") {
  const std::string digest = "sha256:" + std::string(64, 'a');
  CHECK(parse_reference("localhost:5000/a/b:v1")->tag == "v1");
  CHECK(parse_reference("localhost:5000/a/b:v1")->repository == "localhost:5000/a/b");
  CHECK(parse_reference("localhost:5000/a/b")->tag == "latest");
  CHECK(parse_reference("a/b@" + digest)->digest == digest);
  CHECK(parse_reference("a/b:v1@" + digest)->text() == "a/b@" + digest);
  for (const char* bad : {"", "-x", "a b", "a:", "a@sha256:12", "a/b:$(id)", "a//b", "/a", "a/"}) {
    INFO(bad);
    CHECK_FALSE(parse_reference(bad).has_value());
  }
}
