#pragma once

#include "base/error.hpp"
#include "packet_bench/common/clock.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/load/packet_sink.hpp"
#include "packet_bench/load/packet_table.hpp"
#include "packet_bench/result/run_result.hpp"
#include "packet_bench/target/receiver.hpp"
#include "packet_bench/target/scheme.hpp"

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::bench {

enum class Precision { normal, spin };

// Over which connection a packet goes.
enum class Spread {
  // The next one that has room. Without any the packets are held back until there is, or until they
  // would have expired.
  any,
  // The first half of them lead to one target, the second half to another; each pair of packets has
  // one for each, which first is drawn from the seed. A packet whose half has no room waits by
  // itself, behind those of its half, without holding the other half back; for at most
  // `longest_hold`, because a target that is too slow shall lose packets within a slice.
  pairs,
};

struct SendingPlan {
  struct Line {
    Target target;
    Address address;
    std::string destination;  // the account that is paid; empty: the target has none
    std::string name;         // for errors: "to the target"
  };
  std::vector<Line> senders;    // of Spread::pairs an even number
  std::vector<Line> receivers;  // links that we play the receiver on
  ReceiverBehaviour receiver_behaviour = ReceiverBehaviour::fulfill;
  HttpRequest http;
  std::uint64_t amount = 1;
  std::size_t data_bytes = 64;

  // The packets first, first + step, ... of the schedule.
  Arrivals arrivals = Arrivals::constant;
  double rate = 10'000;  // infinite: as many as there is room for
  std::uint64_t seed = 1;
  unsigned first = 0;
  unsigned step = 1;
  std::chrono::nanoseconds expiry = std::chrono::seconds(5);
  std::size_t max_in_flight = std::size_t{1} << 15;
  Spread spread = Spread::any;
  std::chrono::nanoseconds longest_hold = std::chrono::milliseconds(100);

  Precision precision = Precision::normal;
  // Not to sleep on a target that answers within the time that it takes to sleep and wake. Not for
  // targets that share the loop's processor and run after it: they would wait for us.
  bool watches_quick_targets = true;
  bool high_priority = true;      // see priority.hpp
  bool before_real_time = false;  // before targets that have real-time priority themselves
  std::vector<int> cpu_affinity;  // empty: anywhere
};

// One sending loop: opens its connections, then sends every packet when it is due, whatever the
// answers do. Belongs to one thread, apart from its construction.
class SendingLoop final : private ChannelEvents {
 public:
  SendingLoop(const SendingPlan& plan, PacketSink& sink);

  // Opens all connections, up to `deadline`. One refusal is final: a target that is down must not
  // be waited for. Errors: unreachable, cancelled, io (the processors cannot be had).
  Result<void> connect(TimePoint deadline, const std::stop_token& stop);
  // Sets when the schedule begins.
  void begin(TimePoint start);
  // When the next packet is due.
  TimePoint next_due() const { return closed_loop_ ? now_ : start_ + walker_->due(); }
  // Waits for the next packet to be due, at most 5 ms, and sends those that are, up to `end`.
  void turn(TimePoint end);
  // Takes what comes for at most a millisecond, and sends nothing.
  void rest();
  // Gives up what is in flight and closes the connections.
  void end();

  TimePoint now() const { return now_; }
  std::size_t in_flight() const { return table_.in_flight(); }
  bool any_up() const { return any_up(0, channels_.size()); }
  // The first answer on any channel that was not as wanted; empty where there was none.
  std::string first_refusal() const;
  // Of the channels from `first` on: up, or at rest.
  bool any_up(std::size_t first, std::size_t count) const;
  bool has_receiver() const { return !receivers_.empty(); }
  std::uint64_t receiver_prepares() const;
  std::uint64_t reconnects() const;
  // What the kernel granted.
  const std::string& priority() const { return priority_; }

 private:
  void on_input(TimePoint arrived) override;
  void on_answer(Channel& channel, std::uint32_t ticket, const Answer& answer) override;
  void on_up(const Opening& opening) override { sink_.on_up(opening); }
  void on_down(Channel& channel, const Loss& loss) override;

  Result<void> take_place();
  void tick(TimePoint now);
  void send_due(TimePoint end);
  // A packet that is due.
  struct Due {
    std::uint64_t number = 0;
    TimePoint when;
  };
  // The channels among which one is chosen.
  struct Half {
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t next = 0;  // whose turn it is, from `first` on
    std::deque<Due> held;  // Spread::pairs: waiting for room
  };
  Half& half_of(std::uint64_t number);
  Channel* channel_with_room(Half& half);
  bool send_held();
  void send_one(Channel& channel, const Due& due, bool held);
  void note_stall(TimePoint due);
  void drop_overdue(TimePoint end);
  void wait_until(TimePoint when);
  bool answer_is_near(TimePoint now) const;
  bool may_read_later() const;
  void note_send();
  void take_breath();
  PacketEnd end_of(const PacketTable::Packet& packet, const Answer& answer) const;

  SendingPlan plan_;
  PacketSink& sink_;
  bool closed_loop_;
  Poller poller_;
  PacketTable table_;
  std::map<std::string, PrepareTemplate> prepares_;  // by the account that is paid
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::vector<Channel*> to_flush_;
  TimePoint next_tick_{};
  TimePoint last_send_{};
  TimePoint arrived_{};  // what is being read
  bool reads_later_ = false;
  bool answered_quickly_ = false;  // since then
  bool watchful_ = false;
  unsigned quickness_ = 0;
  unsigned sends_since_trial_ = 0;
  std::array<Half, 2> halves_;  // Spread::any: the first has all

  std::optional<ScheduleWalker> walker_;
  TimePoint start_;
  TimePoint now_;
  TimePoint last_turn_;
  TimePoint held_until_;
  wire::Timestamp wall_start_;
  std::string priority_ = "default";
  bool real_time_ = false;
  TimePoint breath_at_{};
  std::chrono::nanoseconds used_before_{0};
};

}  // namespace slipway::bench
