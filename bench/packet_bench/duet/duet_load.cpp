#include "packet_bench/duet/duet_load.hpp"

#include "packet_bench/common/histogram.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/load/packet_table.hpp"
#include "packet_bench/load/priority.hpp"
#include "packet_bench/subject/machine.hpp"
#include "packet_bench/target/btp_channel.hpp"
#include "packet_bench/target/poller.hpp"
#include "packet_bench/target/prepare_template.hpp"
#include "packet_bench/target/receiver.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <sched.h>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds connect_deadline = 10s;
constexpr nanoseconds head_start = 5ms;
constexpr nanoseconds longest_wait = 5ms;
constexpr nanoseconds stall_bound = 1ms;  // as in an ordinary run
constexpr nanoseconds expiry = 5s;
constexpr nanoseconds longest_drain = 500ms;
constexpr int batch = 64;
constexpr std::size_t sweep = 32;
constexpr std::size_t most_in_flight = std::size_t{1} << 15;

// Of one side.
struct Addresses {
  Address sender;
  Address receiver;
};

// One side's connection, its receiver, and what it did in this slice.
struct Player {
  Player(Poller& poller, const DuetSide& side, const Addresses& addresses, const DuetPlan& plan,
         ChannelEvents& events)
      : cost(side.cost),
        prepare(side.destination, 1, plan.data_bytes),
        channel(poller, side.sender, addresses.sender, prepare, plan.seed, events) {
    if (side.receiver) {
      receiver.emplace(poller, *side.receiver, addresses.receiver, ReceiverBehaviour::fulfill);
    }
  }

  bool receives() { return !receiver || receiver->link().ready(); }

  CostLook cost;
  PrepareTemplate prepare;
  BtpChannel channel;
  std::optional<Receiver> receiver;
  SideSlice slice;
  Histogram latency;
  std::optional<ProcessUsage> usage;  // at the slice's begin
};

class DuetLoop final : public ChannelEvents {
 public:
  using OnSlice = std::function<bool(const DuetSlice&)>;

  DuetLoop(const DuetPlan& plan, const std::array<Addresses, 2>& addresses)
      : plan_(plan), table_(most_in_flight) {
    for (const Side side : {base, candidate}) {
      players_[side] =
          std::make_unique<Player>(poller_, plan.sides[side], addresses[side], plan, *this);
      players_[side]->channel.index = static_cast<std::uint16_t>(side);
    }
  }

  Result<void> run(const OnSlice& on_slice, const std::stop_token& stop) {
    ::prctl(PR_SET_TIMERSLACK, 1);
    if (plan_.high_priority && raise_priority() == real_time_name) {
      // Before the connectors, one of which may be on the same processor.
      const sched_param higher{.sched_priority = 2};
      ::sched_setscheduler(0, SCHED_FIFO, &higher);
    }
    if (!plan_.cpu_affinity.empty()) {
      cpu_set_t set;
      CPU_ZERO(&set);
      for (const int cpu : plan_.cpu_affinity) CPU_SET(static_cast<std::size_t>(cpu), &set);
      ::sched_setaffinity(0, sizeof set, &set);
    }
    if (const auto connected = connect(stop); !connected) return connected.error();
    play(on_slice, stop);
    drain();
    if (!lost_.empty()) return Error{ErrorKind::unreachable, lost_, {}};
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted", {}};
    return {};
  }

 private:
  Result<void> connect(const std::stop_token& stop) {
    const TimePoint deadline = Clock::now() + connect_deadline;
    for (;;) {
      bool all_up = true;
      tick(Clock::now());
      for (const Side side : {base, candidate}) {
        Player& player = *players_[side];
        for (const auto& [up, failure] :
             {std::pair{player.channel.up(), player.channel.failure()},
              std::pair{player.receives(),
                        player.receiver ? player.receiver->link().failure() : std::string()}}) {
          if (up) continue;
          all_up = false;
          if (failure.empty() && Clock::now() < deadline) continue;
          return Error{ErrorKind::unreachable,
                       fmt::format("cannot connect to the {}: {}", side_names[side],
                                   failure.empty() ? "no answer in time" : failure),
                       {}};
        }
      }
      if (all_up) return {};
      if (stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted", {}};
      poller_.wait(1ms);
    }
  }

  void play(const OnSlice& on_slice, const std::stop_token& stop) {
    start_ = Clock::now() + head_start;
    last_turn_ = start_;
    wall_start_ = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now() +
                                                                head_start);
    TimePoint border = start_ + plan_.warmup;
    TimePoint turn = start_ + plan_.turn;
    bool warm = false;
    while (lost_.empty() && !stop.stop_requested()) {
      poller_.wait(std::min<nanoseconds>(due(next_) - Clock::now(), longest_wait));
      now_ = Clock::now();
      tick(now_);
      send_due();
      last_turn_ = now_;
      if (now_ >= turn) {
        plan_.on_turn();
        turn = std::max(turn + plan_.turn, now_ + plan_.turn / 2);
      }
      if (now_ < border) continue;
      const DuetSlice slice = cut();
      border = std::max(border + plan_.slice, now_ + plan_.slice / 2);
      if (warm && !on_slice(slice)) return;
      warm = true;
    }
  }

  TimePoint due(std::uint64_t number) const {
    return start_ + nanoseconds(std::llround(static_cast<double>(number) * 1e9 / (2 * plan_.rate)));
  }

  void tick(TimePoint now) {
    for (const auto& player : players_) {
      if (!player->channel.up()) player->channel.tick(now);
      if (!player->receives()) player->receiver->link().tick(now);
    }
    table_.give_up_expired(now - 1s, sweep, [this](const PacketTable::Packet& packet) {
      ++players_[packet.channel]->slice.lost;
    });
  }

  Side side_of(std::uint64_t number) const {
    const std::uint64_t first = mixed(plan_.seed ^ (number / 2)) & 1;
    return static_cast<Side>(first ^ (number & 1));
  }

  void send_due() {
    bool first = true;
    for (int count = 0; count < batch && due(next_) <= now_; ++count, ++next_) {
      if (first) note_stall(due(next_));
      first = false;
      Player& player = *players_[side_of(next_)];
      if (table_.full() || !player.channel.can_send()) {
        ++player.slice.lost;
        continue;
      }
      const std::uint32_t ticket = table_.add({.number = next_,
                                               .due = due(next_),
                                               .sent = now_,
                                               .expires = now_ + expiry,
                                               .channel = player.channel.index});
      const auto expires_at =
          wall_start_ + std::chrono::floor<std::chrono::milliseconds>(now_ - start_ + expiry);
      player.channel.send(ticket, next_, expires_at);
      ++player.slice.sent;
    }
    if (first) return;
    for (const auto& player : players_) player->channel.flush();
  }

  void note_stall(TimePoint due) {
    const nanoseconds stall = now_ - std::max(due, last_turn_);
    if (stall >= stall_bound) stall_ += stall;
  }

  // Ends the slice and begins the next one.
  DuetSlice cut() {
    DuetSlice slice;
    const ProcessorTimes machine = processor_times();
    slice.length = now_ - cut_at_;
    slice.steal = machine.steal - machine_.steal;
    slice.processors = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    slice.generator_stall = std::exchange(stall_, nanoseconds(0));
    machine_ = machine;
    cut_at_ = now_;
    for (const Side side : {base, candidate}) {
      Player& player = *players_[side];
      const auto usage = player.cost();
      if (usage && player.usage) {
        player.slice.cpu = usage->cpu - player.usage->cpu;
        player.slice.wait = std::max(nanoseconds(0), usage->wait - player.usage->wait);
        player.slice.resident_bytes = usage->resident_bytes;
      }
      player.usage = usage;
      player.slice.p50 = player.latency.percentile(50);
      player.slice.p99 = player.latency.percentile(99);
      player.latency.clear();
      slice.sides[side] = std::exchange(player.slice, {});
    }
    return slice;
  }

  // So that no packet is in flight when the connections go.
  void drain() {
    const TimePoint until = Clock::now() + longest_drain;
    while (lost_.empty() && table_.in_flight() > 0 && Clock::now() < until) poller_.wait(1ms);
    for (const auto& player : players_) {
      player->channel.close();
      if (player->receiver) player->receiver->link().close();
    }
  }

  void on_input() override { now_ = Clock::now(); }

  void on_answer(Channel& channel, std::uint32_t ticket, const Answer& answer) override {
    const PacketTable::Lookup lookup = table_.take(ticket);
    if (lookup.found != PacketTable::Found::in_flight) return;
    Player& player = *players_[channel.index];
    const Preimage expected = preimage_of(plan_.seed, lookup.packet.number);
    if (answer.kind != Answer::Kind::fulfilled || now_ > lookup.packet.expires ||
        !std::equal(expected.begin(), expected.end(), answer.fulfillment.begin(),
                    answer.fulfillment.end())) {
      ++player.slice.lost;
      return;
    }
    ++player.slice.fulfilled;
    player.latency.record(now_ - lookup.packet.due);
  }

  void on_down(Channel& channel, const std::string& why) override {
    if (lost_.empty()) {
      lost_ = fmt::format("the connection to the {} was lost: {}", side_names[channel.index], why);
    }
  }

  const DuetPlan& plan_;
  Poller poller_;
  PacketTable table_;
  std::array<std::unique_ptr<Player>, 2> players_;
  std::uint64_t next_ = 0;
  TimePoint start_;
  TimePoint now_;
  TimePoint last_turn_;
  TimePoint cut_at_;
  wire::Timestamp wall_start_;
  ProcessorTimes machine_;
  nanoseconds stall_{0};
  std::string lost_;
};

}  // namespace

Result<void> drive_duet(const DuetPlan& plan, const std::function<bool(const DuetSlice&)>& on_slice,
                        std::stop_token stop) {
  std::array<Addresses, 2> addresses;
  const auto tls = net::TlsContext::make(plan.tls);
  if (!tls) return tls.error();
  for (const Side side : {base, candidate}) {
    auto sender = resolve(plan.sides[side].sender, *tls);
    if (!sender) return sender.error();
    addresses[side].sender = *sender;
    if (!plan.sides[side].receiver) continue;
    auto receiver = resolve(*plan.sides[side].receiver, *tls);
    if (!receiver) return receiver.error();
    addresses[side].receiver = *receiver;
  }
  // On a thread of its own, since its priority is not the caller's.
  Result<void> result;
  std::jthread([&] {
    try {
      result = DuetLoop(plan, addresses).run(on_slice, stop);
    } catch (const std::exception& error) {
      result = Error{ErrorKind::failed, error.what(), {}};
    }
  }).join();
  return result;
}

}  // namespace slipway::bench
