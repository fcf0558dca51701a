#include "net/blocking_stream.hpp"

#include "net/silent_resolver.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"

#include <thread>

using namespace slipway;
using namespace std::chrono_literals;

namespace {

Result<net::SocketAddresses> knows_loopback(const std::string& host, std::uint16_t port) {
  if (host != "somewhere.test") return Error{ErrorKind::unreachable, "no such name", {}};
  return net::look_up("127.0.0.1", port);
}

}  // namespace

TEST_CASE("a name that is not answered for is waited for until the deadline", "[net]") {
  const test::SilentResolver resolver;
  net::BlockingStream stream(50ms, {}, &test::never_answers);
  const auto connected = stream.connect_tcp("somewhere.test", 80);
  REQUIRE(connected.has_error());
  CHECK(connected.error().kind == ErrorKind::timeout);
}

TEST_CASE("a stop request ends the wait for a name", "[net]") {
  test::SilentResolver resolver;
  std::stop_source stop;
  std::jthread stopper([&] {
    resolver.wait_until_asked();
    stop.request_stop();
  });
  net::BlockingStream stream(1h, stop.get_token(), &test::never_answers);
  const auto connected = stream.connect_tcp("somewhere.test", 80);
  REQUIRE(connected.has_error());
  CHECK(connected.error().kind == ErrorKind::cancelled);
}

TEST_CASE("what a name is found to be is connected to, and why it is not found is said", "[net]") {
  const test::LoopbackPort port;
  const auto number = static_cast<std::uint16_t>(port.number());
  net::BlockingStream stream(20s, {}, &knows_loopback);
  CHECK(stream.connect_tcp("somewhere.test", number).has_value());
  net::BlockingStream lost(20s, {}, &knows_loopback);
  const auto connected = lost.connect_tcp("nowhere.test", number);
  REQUIRE(connected.has_error());
  CHECK(connected.error().what == "no such name");
  net::BlockingStream numeric(20s, {});
  CHECK(numeric.connect_tcp("127.0.0.1", number).has_value());
}
