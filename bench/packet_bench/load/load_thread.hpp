#pragma once

#include "packet_bench/common/histogram.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/load/load.hpp"
#include "packet_bench/load/packet_table.hpp"
#include "packet_bench/result/series.hpp"
#include "packet_bench/target/channel.hpp"
#include "packet_bench/target/connection.hpp"
#include "packet_bench/target/poller.hpp"
#include "packet_bench/target/prepare_template.hpp"
#include "packet_bench/target/receiver.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::bench {

// What one thread counted; joined with the others' by run_load.
struct ThreadTally {
  PacketCounts packets;
  PacketCounts warmup_packets;
  std::uint64_t duplicates = 0;
  std::uint64_t unexpected = 0;
  std::vector<std::string> disconnects;
  Histogram latency;
  Histogram latency_from_sent;
  Histogram lateness;
  std::chrono::nanoseconds longest_stall{0};
  std::chrono::nanoseconds longest_gap{0};
  std::array<std::optional<std::chrono::nanoseconds>, LoadPlan::pace_slices> least_lag{};
  std::array<std::optional<std::chrono::nanoseconds>, LoadPlan::pace_slices> least_lateness{};
  std::array<std::chrono::nanoseconds, LoadPlan::pace_slices> stall{};
  std::string priority = "default";
  bool up_at_end = false;  // a connection to the target was up
  TimePoint ended;         // when sending ended: the schedule's end, or the interruption
};

struct Endpoint {
  Target target;
  Address address;
};

// One sending loop: packets index, index + threads, ... of the schedule over its own connections.
class LoadThread final : private ChannelEvents {
 public:
  LoadThread(const LoadPlan& plan, unsigned index, const std::vector<Endpoint>& endpoints,
             const std::optional<Endpoint>& receiver, SeriesRecorder& series,
             std::atomic<unsigned>& busy_threads);

  // Opens all connections, up to `deadline`.
  Result<void> connect(TimePoint deadline, const std::stop_token& stop);
  // Sends from `start` (the first packet's time) to the schedule's end, then waits for what is in
  // flight until it has expired.
  void run(TimePoint start, const std::stop_token& stop);

  const ThreadTally& tally() const { return tally_; }
  std::uint64_t reconnects() const;
  const Receiver* receiver() const { return receiver_ ? receiver_.get() : nullptr; }

 private:
  void on_input() override;
  void on_answer(Channel& channel, std::uint32_t ticket, const Answer& answer) override;
  void on_down(Channel& channel, const std::string& why) override;

  void begin(TimePoint start);
  void tick(TimePoint now);
  void send_due();
  // When the next packet is due.
  TimePoint next_due() const { return plan_.closed_loop() ? now_ : start_ + walker_->due(); }
  Channel* channel_with_room();
  void send_one(Channel& channel);
  void note_stall(TimePoint due);
  void drop_overdue();
  void wait_until(TimePoint when);
  bool answer_is_near(TimePoint now) const;
  void note_send();
  void take_breath();
  void drain(const std::stop_token& stop);
  void roll_interval(TimePoint now);
  void count_answer(const PacketTable::Packet& packet, const Answer& answer);
  void count_fulfilled(const PacketTable::Packet& packet);
  void count_given_up(const PacketTable::Packet& packet);
  PacketCounts& counts_of(TimePoint due) {
    return due >= window_begin_ ? tally_.packets : tally_.warmup_packets;
  }
  std::optional<std::size_t> slice_of(TimePoint time) const;

  const LoadPlan& plan_;
  unsigned index_;
  SeriesRecorder& series_;
  std::atomic<unsigned>& busy_threads_;  // with packets in flight
  Poller poller_;
  PrepareTemplate prepare_;
  PacketTable table_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::unique_ptr<Receiver> receiver_;
  std::vector<Channel*> to_flush_;
  TimePoint next_tick_{};
  TimePoint last_send_{};
  bool answered_quickly_ = false;  // since then
  bool watchful_ = false;
  unsigned quickness_ = 0;
  unsigned sends_since_trial_ = 0;
  std::size_t next_channel_ = 0;

  std::unique_ptr<ScheduleWalker> walker_;
  TimePoint start_;
  TimePoint window_begin_;
  TimePoint window_end_;
  TimePoint now_;
  TimePoint last_turn_;
  TimePoint held_until_;
  std::optional<TimePoint> outstanding_since_;
  wire::Timestamp wall_start_;
  ThreadSecond second_;
  std::size_t second_index_ = 0;
  bool series_begun_ = false;
  bool real_time_ = false;
  TimePoint breath_at_{};
  std::chrono::nanoseconds used_before_{0};
  ThreadTally tally_;
};

}  // namespace slipway::bench
