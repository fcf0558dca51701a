#include "packet_bench/target/connection.hpp"

#include "packet_bench/target/http_channel.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"

#include <sys/socket.h>
#include <thread>

using namespace slipway;
using namespace slipway::bench;
using namespace std::chrono_literals;

namespace {

// A listening socket of this machine, and one connection that it took.
class Peer {
 public:
  Target target() const {
    return {.scheme = &http_scheme,
            .host = "127.0.0.1",
            .port = static_cast<std::uint16_t>(port_.number())};
  }
  void accept() { taken_ = port_.accept(); }
  void close() { taken_.reset(); }
  void send(std::string_view text) const {
    REQUIRE(::send(taken_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }

 private:
  test::LoopbackPort port_;
  UniqueFd taken_;
};

struct Handler : EventSink {
  Connection* connection = nullptr;
  void on_events(std::uint32_t events) override { connection->handle(events); }
};

// A connection that is open, from the moment on that it is made.
struct Opened {
  Peer peer;
  Poller poller;
  Handler handler;
  Address address;
  Connection connection{poller, handler};

  Opened() : address(*resolve(peer.target(), nullptr)) {
    handler.connection = &connection;
    connection.open(address);
    peer.accept();
    while (connection.state() != Connection::State::open) poller.wait(100ms);
  }
};

}  // namespace

TEST_CASE("bytes count from when they arrived, not from when they were read", "[connection]") {
  Opened opened;
  Connection& connection = opened.connection;
  CHECK(connection.connect_took() > 0ns);
  CHECK_FALSE(connection.handshake_took());
  const TimePoint before = Clock::now();
  opened.peer.send("answer");
  const TimePoint sent = Clock::now();
  // Not to wait for anything: to read late.
  std::this_thread::sleep_for(30ms);
  while (connection.input().empty()) opened.poller.wait(100ms);
  REQUIRE(connection.stamps_arrivals());
  // The stamp is another clock's, and may come late; nearer to the sending than to the reading.
  CHECK(connection.arrived() >= before - 1ms);
  CHECK(connection.arrived() <= sent + (Clock::now() - sent) / 2);
}

TEST_CASE("an end that came with the last bytes is seen when they are read", "[connection]") {
  Opened opened;
  opened.peer.send("answer");
  opened.peer.close();
  while (opened.connection.input().empty()) opened.poller.wait(100ms);
  CHECK(opened.connection.input().size() == 6);
  CHECK(opened.connection.state() == Connection::State::closed);
}
