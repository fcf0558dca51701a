// The drain notice between processes: who gets it, what it changes, and what it does not.
#include "base/json.hpp"
#include "base/unique_fd.hpp"
#include "connector/btp_peer.hpp"
#include "connector/connector_process.hpp"
#include "connector/packets.hpp"
#include "support/catch.hpp"
#include "wire/btp_drain.hpp"

#include <csignal>
#include <sys/socket.h>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::connector::test;
using namespace std::chrono_literals;

namespace {

const std::string executable = CONNECTOR_EXECUTABLE;

std::string config(std::uint16_t port = 0, std::chrono::milliseconds drain_timeout = 10s) {
  return fmt::format(R"({{"address": "test.hub", "btp": {{"host": "127.0.0.1", "port": {}}},
      "limits": {{"drainTimeoutMs": {}}},
      "http": {{"host": "127.0.0.1", "port": 0}}, "accounts": [
      {{"id": "alice", "asset": {{"code": "USD", "scale": 9}}, "token": "token-of-alice"}},
      {{"id": "bob", "asset": {{"code": "USD", "scale": 9}}, "token": "token-of-bob"}}]}})",
                     port, drain_timeout.count());
}

// One that dials `up` as alice, and has carol.
std::string dialling(const ConnectorProcess& up, const std::string& role = "active") {
  return fmt::format(
      R"({{"address": "test.hub.alice", "btp": {{"host": "127.0.0.1", "port": 0}}, "role": "{}",
          "http": {{"host": "127.0.0.1", "port": 0}}, "accounts": [
          {{"id": "up", "relation": "parent", "asset": {{"code": "USD", "scale": 9}},
            "btp": {{"url": "btp+ws://:token-of-alice@127.0.0.1:{}"}}}},
          {{"id": "carol", "asset": {{"code": "USD", "scale": 9}}, "token": "token-of-carol"}}]}})",
      role, up.btp_port());
}

void prepare(BtpPeer& peer, std::uint32_t number) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  peer.send(wire::BtpType::message, number,
            make_prepare({.number = number, .expires_at = now + 50s}));
  peer.flush();
}

// The next frame: "notice", "prepare", "fulfilled", a Reject's code, or "closed".
struct Heard {
  std::string what = "closed";
  std::uint32_t request_id = 0;
};

Heard next(BtpPeer& peer) {
  Heard heard;
  peer.wait([&](const wire::BtpFrame& frame) {
    heard.request_id = frame.request_id;
    heard.what = wire::is_about_drain(frame) ? "notice" : "other";
    const wire::SubProtocol* const ilp = frame.find("ilp");
    if (ilp == nullptr) return;
    const auto packet = wire::decode_packet(ilp->data);
    const auto* reject = std::get_if<wire::Reject>(&*packet);
    heard.what = std::holds_alternative<wire::Prepare>(*packet) ? "prepare"
                 : reject == nullptr                            ? "fulfilled"
                                                                : std::string(reject->code);
  });
  return heard;
}

void fulfill(BtpPeer& bob, std::uint32_t request_id, std::uint32_t number) {
  bob.send(wire::BtpType::response, request_id, make_fulfill(preimage_of(number)));
  bob.flush();
}

// What comes for bob next, and his answer to it, as its sender sees it.
Heard paid_through(BtpPeer& sender, BtpPeer& bob, std::uint32_t number) {
  const Heard request = next(bob);
  REQUIRE(request.what == "prepare");
  fulfill(bob, request.request_id, number);
  return next(sender);
}

void answer_notice(BtpPeer& peer, std::uint32_t request_id) {
  std::vector<std::uint8_t> answer;
  wire::encode_drain(wire::BtpType::response, request_id, answer);
  peer.send_bytes(answer);
  peer.flush();
}

std::string role(const ConnectorProcess& connector) {
  return parse_json(http_get(connector.http_port(), "/health"))["role"];
}

}  // namespace

TEST_CASE("who has moved is sent what comes for it until all have moved, and then is closed",
          "[connector]") {
  ConnectorProcess connector(executable, config());
  BtpPeer alice(connector.btp_port(), "token-of-alice", true);
  BtpPeer bob(connector.btp_port(), "token-of-bob", true);
  // While this one is not answered nobody is closed, however slow this test is.
  prepare(alice, 1);
  const Heard held = next(bob);
  connector.send_signal(SIGUSR1);
  const Heard to_bob = next(bob);
  REQUIRE(to_bob.what == "notice");
  const Heard to_alice = next(alice);
  REQUIRE(to_alice.what == "notice");
  answer_notice(bob, to_bob.request_id);
  // Alice's new connection is not there yet.
  prepare(alice, 2);
  CHECK(paid_through(alice, bob, 2).request_id == 2);
  prepare(alice, 3);
  answer_notice(alice, to_alice.request_id);
  const Heard third = next(bob);
  REQUIRE(third.what == "prepare");
  fulfill(bob, held.request_id, 1);
  CHECK(next(alice).request_id == 1);
  fulfill(bob, third.request_id, 3);
  const Heard last = next(alice);
  CHECK(last.what == "fulfilled");
  CHECK(last.request_id == 3);
  CHECK(next(alice).what == "closed");
  CHECK(next(bob).what == "closed");
  CHECK(alice.close_code() == 1001);
  CHECK(bob.close_code() == 1001);
  wait_until("drained", [&] { return role(connector) == "drained"; });
}

TEST_CASE("who has not said that it understands a drain notice sees none and is closed when idle",
          "[connector]") {
  ConnectorProcess connector(executable, config());
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  prepare(alice, 1);
  const Heard held = next(bob);
  REQUIRE(held.what == "prepare");
  connector.send_signal(SIGUSR1);
  wait_until("draining", [&] { return role(connector) == "draining"; });
  fulfill(bob, held.request_id, 1);
  // The answer first, then Close: nothing else.
  CHECK(next(alice).what == "fulfilled");
  CHECK(next(alice).what == "closed");
  CHECK(next(bob).what == "closed");
  CHECK(alice.close_code() == 1001);
  wait_until("drained", [&] { return role(connector) == "drained"; });
}

TEST_CASE("a connection that was opened ahead of its first request is closed by a drain",
          "[connector]") {
  ConnectorProcess connector(executable, config());
  const UniqueFd ahead(connect_to(connector.btp_port()));
  // Accepted later, so both are.
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  connector.send_signal(SIGUSR1);
  wait_until("drained", [&] { return role(connector) == "drained"; });
  char nothing = 0;
  CHECK(::recv(ahead.get(), &nothing, 1, MSG_DONTWAIT) == 0);
}

TEST_CASE("who is told to move and does not is served, and closed in the end", "[connector]") {
  ConnectorProcess connector(executable, config());
  BtpPeer alice(connector.btp_port(), "token-of-alice", true);
  BtpPeer bob(connector.btp_port(), "token-of-bob", true);
  prepare(alice, 1);
  const Heard held = next(bob);
  connector.send_signal(SIGUSR1);
  REQUIRE(next(alice).what == "notice");
  REQUIRE(next(bob).what == "notice");
  fulfill(bob, held.request_id, 1);
  CHECK(next(alice).what == "fulfilled");
  CHECK(next(alice).what == "closed");
  CHECK(next(bob).what == "closed");
  wait_until("drained", [&] { return role(connector) == "drained"; });
}

TEST_CASE("a drain notice that nobody asked for is refused as any other request", "[connector]") {
  ConnectorProcess connector(executable, config());
  BtpPeer alice(connector.btp_port(), "token-of-alice", true);
  std::vector<std::uint8_t> notice;
  wire::encode_drain(wire::BtpType::message, 7, notice);
  alice.send_bytes(notice);
  alice.flush();
  wire::BtpType type{};
  alice.wait([&](const wire::BtpFrame& frame) { type = frame.type; });
  CHECK(type == wire::BtpType::error);
  // Nor does an answer to none harm.
  answer_notice(alice, 8);
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  prepare(alice, 1);
  CHECK(paid_through(alice, bob, 1).what == "fulfilled");
}

TEST_CASE("a connector moves to the successor of the one that it has dialled, and loses nothing",
          "[connector]") {
  ConnectorProcess before(executable, config());
  ConnectorProcess dialler(executable, dialling(before));
  wait_until("the dialler",
             [&] { return before.metric(R"(ilp_peer_connected{account="alice"})") == 1; });
  BtpPeer carol(dialler.btp_port(), "token-of-carol");
  BtpPeer bob(before.btp_port(), "token-of-bob");
  prepare(carol, 1);
  const Heard held = next(bob);
  REQUIRE(held.what == "prepare");
  before.send_signal(SIGUSR1);
  wait_until("draining", [&] { return role(before) == "draining"; });
  ConnectorProcess after(executable, config(before.btp_port()));
  wait_until("the dialler to move",
             [&] { return after.metric(R"(ilp_peer_connected{account="alice"})") == 1; });
  BtpPeer bob_after(after.btp_port(), "token-of-bob");
  prepare(carol, 2);
  CHECK(paid_through(carol, bob_after, 2).request_id == 2);
  fulfill(bob, held.request_id, 1);
  const Heard late = next(carol);
  CHECK(late.what == "fulfilled");
  CHECK(late.request_id == 1);
  wait_until("drained", [&] { return role(before) == "drained"; });
}

TEST_CASE("a connector that is replaced loses nothing at a peer that its successor dials, too",
          "[connector]") {
  ConnectorProcess hub(executable, config());
  ConnectorProcess old(executable, dialling(hub));
  const auto up = [](const ConnectorProcess& one) {
    return one.metric(R"(ilp_peer_connected{account="up"})") == 1;
  };
  wait_until("the old one's link", [&] { return up(old); });
  BtpPeer carol(old.btp_port(), "token-of-carol");
  BtpPeer bob(hub.btp_port(), "token-of-bob");
  prepare(carol, 1);
  const Heard held = next(bob);
  REQUIRE(held.what == "prepare");
  ConnectorProcess successor(executable, dialling(hub, "standby"));
  successor.send_signal(SIGUSR2);
  wait_until("the successor's link", [&] { return up(successor); });
  // Before it is drained it still has users, and what it accepted is answered.
  prepare(carol, 2);
  CHECK(paid_through(carol, bob, 2).request_id == 2);
  old.send_signal(SIGUSR1);
  fulfill(bob, held.request_id, 1);
  const Heard late = next(carol);
  CHECK(late.what == "fulfilled");
  CHECK(late.request_id == 1);
  wait_until("drained", [&] { return role(old) == "drained"; });
  CHECK(up(successor));
}

TEST_CASE("an older connection of a peer is closed when a drain would be over", "[connector]") {
  ConnectorProcess connector(executable, config(0, 300ms));
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  BtpPeer older(connector.btp_port(), "token-of-alice", true);
  BtpPeer newer(connector.btp_port(), "token-of-alice", true);
  prepare(older, 1);
  CHECK(paid_through(older, bob, 1).what == "fulfilled");
  CHECK(next(older).what == "closed");
  CHECK(older.close_code() == 1008);
  // No more than one is kept beside the newest.
  BtpPeer newest(connector.btp_port(), "token-of-alice", true);
  BtpPeer last(connector.btp_port(), "token-of-alice", true);
  CHECK(next(newer).what == "closed");
  prepare(last, 2);
  CHECK(paid_through(last, bob, 2).what == "fulfilled");
}
