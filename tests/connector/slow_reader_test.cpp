// The connector as a process, and peers that do not read what comes to them.
#include "connector/btp_peer.hpp"
#include "connector/connector_process.hpp"
#include "connector/packets.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"
#include "support/sanitizer.hpp"

#include <array>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::connector::test;
using namespace std::chrono_literals;

namespace {

// Nobody is given up for having been stuck too long here.
constexpr const char* config =
    R"({"address": "test.hub", "btp": {"host": "127.0.0.1", "port": 0},
        "http": {"host": "127.0.0.1", "port": 0}, "ledger": {"store": "none"},
        "limits": {"stallTimeoutMs": 3600000}, "accounts": [
        {"id": "alice", "asset": {"code": "USD", "scale": 9}, "token": "token-of-alice"},
        {"id": "bob", "asset": {"code": "USD", "scale": 9}, "token": "token-of-bob"}]})";

// And carol, who is POSTed to.
std::string with_http_peer(int port) {
  std::string json = config;
  return json.replace(json.rfind("]}"), 2,
                      fmt::format(R"(, {{"id": "carol", "asset": {{"code": "USD", "scale": 9}},
                      "http": {{"url": "http://:token-of-carol@127.0.0.1:{}/"}}}}]}})",
                                  port));
}

std::vector<std::uint8_t> large_fulfill(std::uint64_t number) {
  std::vector<std::uint8_t> packet;
  wire::encode(wire::Fulfill{preimage_of(number), std::vector<std::uint8_t>(32'000, 1)}, packet);
  return packet;
}

}  // namespace

TEST_CASE("a peer that asks and never reads what it is paid is given up by how much waits for it",
          "[connector]") {
  constexpr std::uint32_t packets = 2000;  // 64 MB of Fulfills
  ConnectorProcess connector(CONNECTOR_EXECUTABLE, config);
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  BtpPeer bob(connector.btp_port(), "token-of-bob");
  const auto soon = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  for (std::uint32_t i = 1; i <= packets; ++i) {
    alice.send(wire::BtpType::message, i, make_prepare({.number = i, .expires_at = soon + 300s}));
  }
  std::vector<std::uint32_t> asked;
  wait_until("all to be with bob", [&] {
    alice.flush();
    bob.receive([&](const wire::BtpFrame& frame) { asked.push_back(frame.request_id); });
    return asked.size() == packets;
  });
  // In the order in which they were asked, which are the numbers from 1 on.
  for (std::uint32_t i = 0; i < packets; ++i) {
    bob.send(wire::BtpType::response, asked[i], large_fulfill(i + 1));
  }
  wait_until("bob to have answered", [&] {
    bob.flush();
    return bob.unsent() == 0;
  });
  wait_until("alice to be given up",
             [&] { return connector.metric(R"(ilp_refusals_total{reason="slow_reader"})") == 1; });
  // A sanitizer keeps freed memory.
  if (!slipway::test::is_sanitized) {
    CHECK(connector.metric("process_resident_memory_bytes") < 60'000'000);
  }
}

TEST_CASE("a peer over HTTP that answers nothing has a bounded number of bytes wait for it",
          "[connector]") {
  constexpr std::uint32_t packets = 1000;  // 32 MB
  const slipway::test::LoopbackPort silent;
  ConnectorProcess connector(CONNECTOR_EXECUTABLE, with_http_peer(silent.number()));
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  const std::vector<std::uint8_t> data(32'000, 1);
  const auto soon = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  for (std::uint32_t i = 1; i <= packets; ++i) {
    std::vector<std::uint8_t> packet;
    wire::encode(
        wire::Prepare{1, soon + 300s, std::array<std::uint8_t, 32>{}, "test.hub.carol", data},
        packet);
    alice.send(wire::BtpType::message, i, packet);
  }
  std::string code;
  wait_until("a packet to be refused", [&] {
    alice.flush();
    alice.receive([&](const wire::BtpFrame& frame) {
      const auto packet = wire::decode_packet(frame.find("ilp")->data);
      code = std::get<wire::Reject>(*packet).code;
    });
    return !code.empty();
  });
  CHECK(code == "T02");
}
