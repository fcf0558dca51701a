// The connector as a process, and a peer that it POSTs packets to.
#include "connector/btp_peer.hpp"
#include "connector/connector_process.hpp"
#include "connector/packets.hpp"
#include "support/catch.hpp"
#include "support/loopback_port.hpp"

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <sys/socket.h>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::connector::test;
using namespace std::chrono_literals;

namespace {

// A peer over HTTP that fulfills, and answers only once `together` requests are open at once. Where
// they do not come it gives that up after a while, and answers what there is.
class GatheringPeer {
 public:
  explicit GatheringPeer(int together) : together_(together) {}
  ~GatheringPeer() {
    port_.stop();
    acceptor_.join();
    for (const UniqueFd& each : connections_) ::shutdown(each.get(), SHUT_RDWR);
  }
  GatheringPeer(const GatheringPeer&) = delete;
  GatheringPeer& operator=(const GatheringPeer&) = delete;

  int port() const { return port_.number(); }
  bool gathered() {
    const std::lock_guard lock(mutex_);
    return !gave_up_;
  }
  std::size_t connections() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

 private:
  void accept() {
    for (;;) {
      UniqueFd connection = port_.accept();
      if (!connection) return;
      const std::lock_guard lock(mutex_);
      const int fd = connections_.emplace_back(std::move(connection)).get();
      servers_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    std::string in;
    char block[4096];
    for (ssize_t size; (size = ::recv(fd, block, sizeof block, 0)) > 0;) {
      in.append(block, static_cast<std::size_t>(size));
      const std::size_t head = in.find("\r\n\r\n");
      const std::size_t length = in.find("Content-Length: ");
      if (head == std::string::npos || length == std::string::npos) continue;
      const std::size_t end = head + 4 + std::stoul(in.substr(length + 16));
      if (in.size() < end) continue;
      wait_for_others();
      answer(fd, in.substr(head + 4, end - head - 4));
      in.erase(0, end);
    }
  }
  void wait_for_others() {
    std::unique_lock lock(mutex_);
    if (++waiting_ == together_) {
      waiting_ = 0;
      ++gathered_;
      changed_.notify_all();
      return;
    }
    const int before = gathered_;
    changed_.wait_for(lock, 5s, [&] { return gathered_ != before || gave_up_; });
    if (gathered_ != before) return;
    --waiting_;
    gave_up_ = true;
    changed_.notify_all();
  }
  static void answer(int fd, const std::string& body) {
    const std::vector<std::uint8_t> bytes(body.begin(), body.end());
    const auto packet = wire::decode_packet(bytes);
    Preimage preimage;
    std::copy_n(std::get<wire::Prepare>(*packet).data.begin(), 32, preimage.begin());
    const auto fulfill = make_fulfill(preimage);
    const std::string reply =
        fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", fulfill.size(),
                    std::string(fulfill.begin(), fulfill.end()));
    (void)::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
  }

  const int together_;
  slipway::test::LoopbackPort port_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  int gathered_ = 0;
  bool gave_up_ = false;
  std::list<UniqueFd> connections_;
  std::list<std::jthread> servers_;
  std::jthread acceptor_{[this] { accept(); }};
};

std::string config(int port) {
  return fmt::format(
      R"({{"address": "test.hub", "btp": {{"host": "127.0.0.1", "port": 0}},
          "http": {{"host": "127.0.0.1", "port": 0}}, "ledger": {{"store": "none"}}, "accounts": [
          {{"id": "alice", "asset": {{"code": "USD", "scale": 9}}, "token": "token-of-alice"}},
          {{"id": "bob", "asset": {{"code": "USD", "scale": 9}},
            "http": {{"url": "http://:token-of-bob@127.0.0.1:{}/ilp"}}}}]}})",
      port);
}

// So many Prepares at once; how many of them are fulfilled.
int pay(BtpPeer& alice, std::uint32_t first, int count) {
  const auto soon = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  for (int i = 0; i < count; ++i) {
    const std::uint32_t number = first + static_cast<std::uint32_t>(i);
    alice.send(wire::BtpType::message, number,
               make_prepare({.number = number, .expires_at = soon + 50s}));
  }
  alice.flush();
  int fulfilled = 0;
  for (int answered = 0; answered < count;) {
    alice.wait([&](const wire::BtpFrame& frame) {
      const auto packet = wire::decode_packet(frame.find("ilp")->data);
      fulfilled += std::holds_alternative<wire::Fulfill>(*packet);
      ++answered;
    });
  }
  return fulfilled;
}

}  // namespace

TEST_CASE("packets that come together go to a peer over HTTP together, each time anew",
          "[connector]") {
  constexpr int together = 8;
  GatheringPeer bob(together);
  ConnectorProcess connector(CONNECTOR_EXECUTABLE, config(bob.port()));
  BtpPeer alice(connector.btp_port(), "token-of-alice");
  std::uint32_t number = 1;
  bool kept = false;
  for (int burst = 0; burst < 6; ++burst) {
    const std::size_t before = bob.connections();
    CHECK(pay(alice, number, together) == together);
    REQUIRE(bob.gathered());
    number += together;
    // Unless this machine took longer than they are kept, none had to be made anew.
    kept |= burst > 0 && bob.connections() == before;
  }
  CHECK(kept);
}
