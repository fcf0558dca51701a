// The connector as a process: drain, roles, misbehaving peers.
#include "base/json.hpp"
#include "base/unique_fd.hpp"
#include "connector/btp_peer.hpp"
#include "connector/connector_process.hpp"
#include "connector/packets.hpp"
#include "support/catch.hpp"
#include "support/sanitizer.hpp"

#include <csignal>
#include <list>
#include <sys/socket.h>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::connector::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* accounts = R"("accounts": [
    {"id": "alice", "asset": {"code": "USD", "scale": 9}, "token": "token-of-alice"},
    {"id": "bob", "asset": {"code": "USD", "scale": 9}, "token": "token-of-bob"}])";

std::string config(const std::string& more = "") {
  return R"({"address": "test.hub", "btp": {"host": "127.0.0.1", "port": 0},
             "http": {"host": "127.0.0.1", "port": 0}, )" +
         more + accounts + "}";
}

wire::Timestamp in(std::chrono::milliseconds time) {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + time;
}

void prepare(BtpPeer& peer, std::uint32_t request, std::chrono::milliseconds lifetime = 50s) {
  peer.send(wire::BtpType::message, request,
            make_prepare({.number = request, .expires_at = in(lifetime)}));
  peer.flush();
}

// The request id of the next Prepare that comes to `bob`.
std::uint32_t next_request(BtpPeer& bob) {
  std::uint32_t id = 0;
  REQUIRE(bob.wait([&](const wire::BtpFrame& frame) { id = frame.request_id; }));
  return id;
}

std::string next_outcome(BtpPeer& alice) {
  std::string outcome;
  alice.wait([&](const wire::BtpFrame& frame) {
    const auto packet = wire::decode_packet(frame.find("ilp")->data);
    const auto* reject = std::get_if<wire::Reject>(&*packet);
    outcome = reject == nullptr ? "fulfilled" : std::string(reject->code);
  });
  return outcome;
}

// One packet from alice to bob and back.
std::string pay(BtpPeer& alice, BtpPeer& bob, std::uint32_t number) {
  prepare(alice, number);
  bob.send(wire::BtpType::response, next_request(bob), make_fulfill(preimage_of(number)));
  bob.flush();
  return next_outcome(alice);
}

void wait_closed(BtpPeer& peer) {
  while (peer.wait([](const wire::BtpFrame&) {})) {
  }
}

bool refused(std::uint16_t port) {
  try {
    ::close(connect_to(port));
    return false;
  } catch (const std::runtime_error&) {
    return true;
  }
}

std::string role(const ConnectorProcess& connector) {
  return parse_json(http_get(connector.http_port(), "/health"))["role"];
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++found;
  return found;
}

const std::string executable = CONNECTOR_EXECUTABLE;

}  // namespace

TEST_CASE("a drain answers what was accepted, then closes with 1001 and stays as a standby",
          "[connector]") {
  ConnectorProcess connector(executable, config());
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  prepare(alice, 1);
  const std::uint32_t held = next_request(bob);
  connector.send_signal(SIGUSR1);
  wait_until("not ready", [&] { return !is_ready(connector); });
  CHECK(role(connector) == "draining");
  CHECK(refused(connector.btp_port()));
  // What comes on the open sockets is still served.
  prepare(alice, 2);
  const std::uint32_t second = next_request(bob);
  bob.send(wire::BtpType::response, second, make_fulfill(preimage_of(2)));
  bob.flush();
  CHECK(next_outcome(alice) == "fulfilled");
  bob.send(wire::BtpType::response, held, make_fulfill(preimage_of(1)));
  bob.flush();
  CHECK(next_outcome(alice) == "fulfilled");
  wait_closed(alice);
  wait_closed(bob);
  CHECK(alice.close_code() == 1001);
  CHECK(bob.close_code() == 1001);
  wait_until("drained", [&] { return role(connector) == "drained"; });
  CHECK_FALSE(is_ready(connector));
  SECTION("and can be promoted again") {
    connector.send_signal(SIGUSR2);
    wait_until("ready", [&] { return is_ready(connector); });
    BtpPeer again(connector.btp_port(), "token-of-alice");
    BtpPeer bob_again(connector.btp_port(), "token-of-bob");
    CHECK(pay(again, bob_again, 3) == "fulfilled");
    CHECK(connector.metric(R"(ilp_account_balance_units{account="bob",asset="USD",scale="9"})") ==
          300);
  }
  SECTION("and ends with status 0") {
    CHECK(connector.terminate() == 0);
  }
}

TEST_CASE("SIGTERM answers what was accepted, closes with 1001 and exits 0", "[connector]") {
  ConnectorProcess connector(executable, config());
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  prepare(alice, 1);
  const std::uint32_t held = next_request(bob);
  connector.send_signal(SIGTERM);
  wait_until("not ready", [&] { return !is_ready(connector); });
  bob.send(wire::BtpType::response, held, make_fulfill(preimage_of(1)));
  bob.flush();
  CHECK(next_outcome(alice) == "fulfilled");
  wait_closed(alice);
  CHECK(alice.close_code() == 1001);
  wait_closed(bob);
  wait_until("the exit", [&] { return connector.exit_status().has_value(); });
  CHECK(connector.exit_status() == 0);
}

TEST_CASE("a drain ends the HTTP connections that are kept alive, so that senders move on",
          "[connector]") {
  ConnectorProcess connector(executable, config());
  const UniqueFd sender(connect_to(connector.btp_port()));
  const auto packet = make_prepare({.number = 1, .expires_at = in(50s)});
  const std::string request =
      fmt::format(
          "POST /ilp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token-of-alice\r\n"
          "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
          packet.size()) +
      std::string(packet.begin(), packet.end());
  REQUIRE(::send(sender.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size()));
  char block[4096];
  const ssize_t answered = ::recv(sender.get(), block, sizeof block, 0);
  REQUIRE(answered > 0);
  CHECK(std::string_view(block, static_cast<std::size_t>(answered)).substr(0, 15) ==
        "HTTP/1.1 200 OK");
  connector.send_signal(SIGUSR1);
  wait_until("drained", [&] { return role(connector) == "drained"; });
  timeval patience{10, 0};
  ::setsockopt(sender.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ssize_t last = 1;
  while (last > 0) last = ::recv(sender.get(), block, sizeof block, 0);
  CHECK(last == 0);
}

TEST_CASE("a drain ends at its deadline although a peer is silent", "[connector]") {
  ConnectorProcess connector(executable, config(R"("limits": {"drainTimeoutMs": 400}, )"));
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  prepare(alice, 1);
  next_request(bob);
  connector.send_signal(SIGUSR1);
  CHECK(next_outcome(alice) == "T00");
  wait_closed(alice);
  CHECK(alice.close_code() == 1001);
  wait_until("drained", [&] { return role(connector) == "drained"; });
}

TEST_CASE("under a steady stream a drain loses no packet that was accepted", "[connector]") {
  ConnectorProcess connector(executable, config());
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  for (bool drain_asked = false; !alice.closed();) {
    for (int i = 0; i < 5 && sent - answered < 50; ++i) {
      prepare(alice, static_cast<std::uint32_t>(++sent));
    }
    bob.receive([&](const wire::BtpFrame& frame) {
      if (frame.type != wire::BtpType::message) return;
      const auto packet = wire::decode_packet(frame.find("ilp")->data);
      Preimage preimage;
      std::copy_n(std::get<wire::Prepare>(*packet).data.begin(), 32, preimage.begin());
      bob.send(wire::BtpType::response, frame.request_id, make_fulfill(preimage));
    });
    bob.flush();
    alice.receive([&](const wire::BtpFrame&) { ++answered; });
    if (answered > 1000 && !drain_asked) {
      drain_asked = true;
      connector.send_signal(SIGUSR1);
    }
  }
  CHECK(alice.close_code() == 1001);
  wait_until("drained", [&] { return role(connector) == "drained"; });
  // All that the connector read has been answered, and the answers have arrived; what it never read
  // was on the wire when it closed.
  std::uint64_t read = 0;
  for (const auto& [series, value] : connector.metrics()) {
    if (series.starts_with(R"(ilp_packets_total{account="alice",direction="in")")) {
      read += std::stoull(value);
    }
  }
  CHECK(read == answered);
  CHECK(sent - answered <= 50);
  CHECK(connector.metric("ilp_packets_in_flight") == 0);
}

TEST_CASE("a drained connector that is promoted at any moment stays active", "[service]") {
  ConnectorProcess connector(CONNECTOR_EXECUTABLE, config());
  for (int i = 0; i < 40; ++i) {
    BtpPeer peer(connector.btp_port(), "token-of-alice");
    connector.send_signal(SIGUSR1);
    // Its peers' links end within some 20 ms; whatever that leaves to be done comes too late.
    wait_closed(peer);
    std::this_thread::sleep_for(std::chrono::microseconds(600 * i));
    connector.send_signal(SIGUSR2);
    wait_until("it to be active", [&] { return role(connector) == "active"; });
    std::this_thread::sleep_for(25ms);
    CHECK(role(connector) == "active");
  }
}

TEST_CASE("a standby dials no peer until it is promoted", "[connector]") {
  ConnectorProcess peer(executable, config());
  const std::string dialling = fmt::format(
      R"({{"address": "test.other", "role": "standby", "btp": {{"host": "127.0.0.1", "port": 0}},
          "http": {{"host": "127.0.0.1", "port": 0}}, "accounts": [{{"id": "hub",
          "relation": "parent", "asset": {{"code": "USD", "scale": 9}},
          "btp": {{"url": "btp+ws://:token-of-alice@127.0.0.1:{}"}}}}]}})",
      peer.btp_port());
  ConnectorProcess standby(executable, dialling);
  CHECK(is_ready(standby));
  CHECK(role(standby) == "standby");
  const auto connected = [&] { return peer.metric(R"(ilp_peer_connected{account="alice"})"); };
  std::this_thread::sleep_for(300ms);
  CHECK(connected() == 0);
  standby.send_signal(SIGUSR2);
  wait_until("the peer to be dialled", [&] { return connected() == 1; });
  standby.send_signal(SIGUSR1);
  wait_until("the peer to be left", [&] { return connected() == 0; });
  std::this_thread::sleep_for(300ms);
  CHECK(connected() == 0);
}

TEST_CASE("misbehaving peers are closed, logged once, and harm nobody else", "[connector]") {
  ConnectorProcess connector(executable,
                             config(R"("limits": {"stallTimeoutMs": 500, "handshakeTimeoutMs": 1000,
                "maximumUnauthenticated": 32, "maximumConnections": 400}, )"));
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  CHECK(pay(alice, bob, 1) == "fulfilled");

  SECTION("a frame of 1 GiB is refused when its length is known") {
    BtpPeer stranger(connector.btp_port(), "");
    stranger.send_raw(std::vector<std::uint8_t>{0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4});
    wait_closed(stranger);
    CHECK(stranger.close_code() == 1009);
  }
  SECTION("a frame that comes a byte at a time is given up") {
    BtpPeer slow(connector.btp_port(), "");
    const std::vector<std::uint8_t> bytes(64, 0x82);
    std::size_t sent = 0;
    while (!slow.closed() && sent < bytes.size()) {
      slow.send_raw(wire::Bytes(bytes).subspan(sent++, 1));
      slow.flush();
      slow.receive([](const wire::BtpFrame&) {});
      std::this_thread::sleep_for(50ms);
    }
    wait_closed(slow);
    CHECK(slow.close_code().has_value());
  }
  SECTION("idle connections do not keep an account out") {
    std::list<UniqueFd> idle;
    for (int i = 0; i < 300; ++i) idle.emplace_back(connect_to(connector.btp_port()));
    BtpPeer newcomer(connector.btp_port(), "token-of-alice");
    CHECK(pay(newcomer, bob, 7) == "fulfilled");
    CHECK(count(connector.output(), "connection_evicted") == 1);
    CHECK(connector.metric("process_open_fds") < 120);
  }
  SECTION("wrong tokens are refused, and neither logged nor logged often") {
    for (int i = 0; i < 20; ++i) {
      CHECK_THROWS(BtpPeer(connector.btp_port(), "a-wrong-token"));
    }
    CHECK(count(connector.output(), "btp_auth_refused") == 1);
    CHECK(count(connector.output(), "a-wrong-token") == 0);
    CHECK(connector.metric(R"(ilp_refusals_total{reason="not_authenticated"})") == 20);
  }
  SECTION("a peer that never reads is paused, then closed") {
    // Bob's answers to it fill its socket; it goes on sending without reading.
    BtpPeer deaf(connector.btp_port(), "token-of-alice");
    const int small = 4096;
    ::setsockopt(deaf.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    // Nothing else is asked meanwhile: half a frame that waits for an answer is a fault of another
    // kind.
    wait_until("the slow reader to be closed", [&] {
      for (std::uint32_t i = 0; i < 2000 && deaf.unsent() < (1U << 20); ++i) {
        deaf.send(
            wire::BtpType::message, i,
            make_prepare({.number = i, .destination = "test.nowhere", .expires_at = in(50s)}));
      }
      deaf.flush();
      return deaf.closed();
    });
    CHECK(connector.metric(R"(ilp_refusals_total{reason="slow_reader"})") == 1);
    BtpPeer newcomer(connector.btp_port(), "token-of-alice");
    CHECK(pay(newcomer, bob, 9) == "fulfilled");
  }
  // A sanitizer keeps freed memory.
  if (!slipway::test::is_sanitized) {
    CHECK(connector.metric("process_resident_memory_bytes") < 200'000'000);
  }
}
