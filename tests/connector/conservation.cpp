// Money is neither made nor lost. Two senders and two receivers exchange packets that are
// fulfilled, rejected, answered wrongly, twice, with rubbish or never, while connections are
// killed, evicted and opened again. In the end the connector's balances and counters and what the
// clients know must agree to the unit.
//
//   conservation CONNECTOR [PACKETS [SEED]]        the big run: 1000000 packets, any seed
#include "connector/btp_peer.hpp"
#include "connector/connector_process.hpp"
#include "connector/packets.hpp"
#include "connector/reject_code.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <poll.h>
#include <random>
#include <set>
#include <unordered_map>

#include <fmt/core.h>

namespace slipway::connector::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_outstanding = 200;

// What is to happen to a packet; the receivers read it from the packet's data.
enum class Kind : std::uint8_t {
  fulfill,
  reject,
  wrong,
  silent,
  twice,
  rubbish,
  btp_error,  // known to receivers
  unreadable,
  garbage,
  no_route,
  too_much,  // end in the connector
};

Kind draw_kind(std::mt19937_64& random) {
  constexpr std::array<std::pair<Kind, unsigned>, 11> shares{{{Kind::fulfill, 700},
                                                              {Kind::reject, 80},
                                                              {Kind::wrong, 40},
                                                              {Kind::silent, 10},
                                                              {Kind::twice, 40},
                                                              {Kind::rubbish, 20},
                                                              {Kind::btp_error, 20},
                                                              {Kind::unreadable, 10},
                                                              {Kind::garbage, 30},
                                                              {Kind::no_route, 30},
                                                              {Kind::too_much, 20}}};
  unsigned pick = static_cast<unsigned>(random() % 1000);
  for (const auto& [kind, share] : shares) {
    if (pick < share) return kind;
    pick -= share;
  }
  return Kind::fulfill;
}

struct Packet {
  std::uint64_t number;
  std::uint64_t amount;
  int receiver;
};

class Receiver {
 public:
  Receiver(std::uint16_t port, std::string token) : port_(port), token_(std::move(token)) {
    connect();
  }
  void connect() { peer = std::make_unique<BtpPeer>(port_, token_); }

  void serve() {
    peer->receive([&](const wire::BtpFrame& frame) {
      if (frame.type == wire::BtpType::message) answer(frame);
    });
    peer->flush();
  }

  std::unique_ptr<BtpPeer> peer;
  std::set<std::uint64_t> fulfilled;  // numbers

 private:
  void answer(const wire::BtpFrame& frame) {
    const auto packet = wire::decode_packet(frame.find("ilp")->data);
    const auto& prepare = std::get<wire::Prepare>(*packet);
    Preimage preimage;
    std::copy_n(prepare.data.begin(), 32, preimage.begin());
    std::uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | prepare.data[33 + static_cast<unsigned>(i)];
    const auto reply = [&](const std::vector<std::uint8_t>& bytes) {
      peer->send(wire::BtpType::response, frame.request_id, bytes);
    };
    switch (static_cast<Kind>(prepare.data[32])) {
      case Kind::reject:
        reply(make_reject("F99"));
        break;
      case Kind::wrong:
        preimage[0] ^= 1;
        reply(make_fulfill(preimage));
        break;
      case Kind::silent:
        break;
      case Kind::rubbish:
        reply({14, 1, 2});
        break;
      case Kind::btp_error:
        peer->send_error(frame.request_id);
        break;
      case Kind::twice:
        reply(make_fulfill(preimage));
        [[fallthrough]];
      default:
        fulfilled.insert(number);
        reply(make_fulfill(preimage));
    }
  }

  std::uint16_t port_;
  std::string token_;
};

class Sender {
 public:
  Sender(std::uint16_t port, std::string account, std::string token)
      : id(std::move(account)), port_(port), token_(std::move(token)) {
    peer = std::make_unique<BtpPeer>(port_, token_);
  }

  void send_one(std::uint64_t number, std::mt19937_64& random) {
    const Kind kind = draw_kind(random);
    const Packet sent{number, 1 + random() % 1000, static_cast<int>(random() % 2)};
    const std::uint32_t request = ++last_request_;
    if (kind == Kind::unreadable) {
      // Never answered, never counted as a packet.
      peer->send_bytes(std::vector<std::uint8_t>{6, 0, 0, 0, 9, 3, 1, 1});
      return;
    }
    ++prepares;
    outstanding[request] = sent;
    if (kind == Kind::garbage) {
      peer->send(wire::BtpType::message, request, std::vector<std::uint8_t>{12, 4, 1, 2, 3, 4});
      return;
    }
    const Preimage preimage = preimage_of(number);
    std::array<std::uint8_t, 32> condition;
    ::SHA256(preimage.data(), preimage.size(), condition.data());
    std::vector<std::uint8_t> data(preimage.begin(), preimage.end());
    data.push_back(static_cast<std::uint8_t>(kind));
    for (int shift = 56; shift >= 0; shift -= 8) {
      data.push_back(static_cast<std::uint8_t>(number >> shift));
    }
    const auto lifetime = kind == Kind::silent ? 400ms : 30'000ms;
    const auto now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    std::vector<std::uint8_t> packet;
    wire::encode(
        wire::Prepare{kind == Kind::too_much ? UINT64_MAX : sent.amount, now + lifetime, condition,
                      kind == Kind::no_route ? "test.nowhere"
                      : sent.receiver == 0   ? "test.hub.bob.x"
                                             : "test.hub.dave.x",
                      data},
        packet);
    peer->send(wire::BtpType::message, request, packet);
  }

  void serve() {
    peer->receive([&](const wire::BtpFrame& frame) {
      if (frame.type != wire::BtpType::response) return;
      const auto found = outstanding.find(frame.request_id);
      if (found == outstanding.end()) throw std::runtime_error("an answer to nothing, or a second");
      const Packet packet = found->second;
      outstanding.erase(found);
      const auto answer = wire::decode_packet(frame.find("ilp")->data);
      if (const auto* fulfill = std::get_if<wire::Fulfill>(&*answer)) {
        if (!std::ranges::equal(fulfill->fulfillment, preimage_of(packet.number))) {
          throw std::runtime_error("a wrong preimage got through");
        }
        settle(packet);
        ++outcomes_seen[fulfilled_outcome];
      } else {
        ++outcomes_seen[outcome_of(std::get<wire::Reject>(*answer).code)];
      }
    });
    peer->flush();
  }

  void settle(const Packet& packet) {
    paid += static_cast<std::int64_t>(packet.amount);
    ++paid_count;
    received_by[static_cast<std::size_t>(packet.receiver)] +=
        static_cast<std::int64_t>(packet.amount);
    ++received_count[static_cast<std::size_t>(packet.receiver)];
  }

  // A new connection; the old one is closed at once, or evicted by the new one.
  void reconnect(bool evict) {
    std::unique_ptr<BtpPeer> old = std::move(peer);
    if (!evict) old.reset();
    peer = std::make_unique<BtpPeer>(port_, token_);
    for (const auto& [request, packet] : outstanding) unknown.push_back(packet);
    outstanding.clear();
  }

  // What was in flight when the connection went: the receivers know what became of it.
  void resolve_unknown(const std::array<Receiver*, 2>& receivers) {
    for (const Packet& packet : unknown) {
      const Receiver& receiver = *receivers[static_cast<std::size_t>(packet.receiver)];
      if (receiver.fulfilled.contains(packet.number)) settle(packet);
    }
    unknown_count += unknown.size();
    unknown.clear();
  }

  std::string id;
  std::unique_ptr<BtpPeer> peer;
  std::unordered_map<std::uint32_t, Packet> outstanding;
  std::vector<Packet> unknown;
  std::uint64_t prepares = 0;
  std::uint64_t unknown_count = 0;
  std::int64_t paid = 0;
  std::uint64_t paid_count = 0;
  std::array<std::int64_t, 2> received_by{};
  std::array<std::uint64_t, 2> received_count{};
  std::array<std::uint64_t, outcomes.size()> outcomes_seen{};

 private:
  std::uint16_t port_;
  std::string token_;
  std::uint32_t last_request_ = 0;
};

class Conservation {
 public:
  Conservation(const std::string& executable, std::uint64_t seed)
      : random_(seed), connector_(executable, config) {}

  bool run(std::uint64_t packets) {
    const std::uint64_t between_events = std::max<std::uint64_t>(packets / 40, 100);
    std::uint64_t next_event = between_events;
    for (std::uint64_t number = 0; number < packets;) {
      for (Sender* sender : senders_) {
        for (int i = 0; i < 32 && sender->outstanding.size() < max_outstanding; ++i) {
          sender->send_one(++number, random_);
        }
      }
      step(1);
      if (number >= next_event) {
        next_event += between_events;
        disturb();
      }
    }
    settle_down();
    return check();
  }

 private:
  static constexpr const char* config = R"({"address": "test.hub",
    "btp": {"host": "127.0.0.1", "port": 0}, "http": {"host": "127.0.0.1", "port": 0},
    "expiryMarginMs": 50, "logLevel": "error", "accounts": [
    {"id": "alice", "asset": {"code": "USD", "scale": 9}, "token": "a"},
    {"id": "carol", "asset": {"code": "USD", "scale": 9}, "token": "c"},
    {"id": "bob", "asset": {"code": "USD", "scale": 9}, "token": "b"},
    {"id": "dave", "asset": {"code": "USD", "scale": 9}, "token": "d"}]})";

  void step(int timeout_ms) {
    std::array<pollfd, 4> entries;
    const std::array<BtpPeer*, 4> peers{alice_.peer.get(), carol_.peer.get(), bob_.peer.get(),
                                        dave_.peer.get()};
    for (std::size_t i = 0; i < peers.size(); ++i) {
      peers[i]->flush();
      entries[i] = {peers[i]->fd(),
                    static_cast<short>(POLLIN | (peers[i]->unsent() > 0 ? POLLOUT : 0)), 0};
    }
    ::poll(entries.data(), entries.size(), timeout_ms);
    for (Receiver* receiver : receivers_) receiver->serve();
    for (Sender* sender : senders_) sender->serve();
  }

  // Until nothing is in flight, for the connector and for the clients.
  void settle_down() {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    const auto quiet = [&] {
      return alice_.outstanding.empty() && carol_.outstanding.empty() &&
             connector_.metric("ilp_packets_in_flight") == 0;
    };
    while (!quiet()) {
      step(5);
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("never settled");
    }
    for (Sender* sender : senders_) sender->resolve_unknown(receivers_);
  }

  // A receiver killed with packets in flight (their senders are told), or a sender killed or
  // evicted (the receivers know what became of them).
  void disturb() {
    ++events_;
    if (random_() % 2 == 0) {
      receivers_[random_() % 2]->connect();
    } else {
      senders_[random_() % 2]->reconnect(random_() % 2 == 0);
    }
    // So that the next kill cannot meet packets of this one.
    settle_down();
  }

  bool expect(const std::string& what, std::int64_t connector, std::int64_t clients) {
    const bool same = connector == clients;
    fmt::print("{} {}: connector {}, clients {}\n", same ? "ok  " : "FAIL", what, connector,
               clients);
    return same;
  }

  bool check() {
    auto metrics = connector_.metrics();
    const auto value = [&](const std::string& series) {
      const auto found = metrics.find(series);
      return found == metrics.end() ? std::int64_t{0} : std::stoll(found->second);
    };
    const auto balance = [&](const std::string& id) {
      return value("ilp_account_balance_units{account=\"" + id + "\",asset=\"USD\",scale=\"9\"}");
    };
    const auto counter = [&](const std::string& id, const char* direction, std::size_t outcome) {
      return value(fmt::format(
          R"(ilp_packets_total{{account="{}",direction="{}",result="{}",code="{}"}})", id,
          direction, outcome == fulfilled_outcome ? "fulfilled" : "rejected", outcomes[outcome]));
    };
    bool good = expect("in flight", value("ilp_packets_in_flight"), 0);
    std::uint64_t prepares = 0;
    for (Sender* sender : senders_) {
      prepares += sender->prepares;
      good &= expect(sender->id + " balance", balance(sender->id), -sender->paid);
      good &= expect(sender->id + " fulfilled", counter(sender->id, "in", fulfilled_outcome),
                     static_cast<std::int64_t>(sender->paid_count));
      // Answers that were on their way to a killed connection are counted but were not seen.
      std::int64_t unseen = 0;
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const auto seen = static_cast<std::int64_t>(sender->outcomes_seen[i]);
        const std::int64_t more = counter(sender->id, "in", i) - seen;
        if (more < 0)
          good &= expect(fmt::format("{} {}", sender->id, outcomes[i]), seen + more, seen);
        unseen += more;
      }
      const bool explained = unseen <= static_cast<std::int64_t>(sender->unknown_count);
      fmt::print("{} {} answers not seen: {}, in flight at kills: {}\n",
                 explained ? "ok  " : "FAIL", sender->id, unseen, sender->unknown_count);
      good &= explained;
    }
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      const std::string id = i == 0 ? "bob" : "dave";
      good &= expect(id + " balance", balance(id), alice_.received_by[i] + carol_.received_by[i]);
      good &=
          expect(id + " fulfilled", counter(id, "out", fulfilled_outcome),
                 static_cast<std::int64_t>(alice_.received_count[i] + carol_.received_count[i]));
    }
    good &= expect("sum of balances",
                   balance("alice") + balance("carol") + balance("bob") + balance("dave"), 0);
    fmt::print("{} prepares, {} disturbances, late replies {}\n", prepares, events_,
               value("ilp_late_replies_total"));
    return expect("exit status", connector_.terminate(), 0) && good;
  }

  std::mt19937_64 random_;
  ConnectorProcess connector_;
  Receiver bob_{connector_.btp_port(), "b"};
  Receiver dave_{connector_.btp_port(), "d"};
  Sender alice_{connector_.btp_port(), "alice", "a"};
  Sender carol_{connector_.btp_port(), "carol", "c"};
  std::array<Sender*, 2> senders_{&alice_, &carol_};
  std::array<Receiver*, 2> receivers_{&bob_, &dave_};
  int events_ = 0;
};

}  // namespace
}  // namespace slipway::connector::test

int main(int argc, char** argv) {
  const std::uint64_t packets = argc > 2 ? std::stoull(argv[2]) : 40'000;
  const std::uint64_t seed = argc > 3 ? std::stoull(argv[3]) : 1;
  try {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    return slipway::connector::test::Conservation(argv[1], seed).run(packets) ? 0 : 1;
  } catch (const std::exception& error) {
    std::printf("FAIL %s\n", error.what());
    return 1;
  }
}
