#pragma once

#include "packet_bench/common/histogram.hpp"
#include "packet_bench/load/load.hpp"
#include "packet_bench/load/sending_loop.hpp"
#include "packet_bench/result/series.hpp"

#include <array>
#include <atomic>
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
  Histogram first_byte;  // from the actual send
  Histogram connect;
  Histogram handshake;
  std::chrono::nanoseconds longest_stall{0};
  std::chrono::nanoseconds longest_gap{0};
  std::array<std::optional<std::chrono::nanoseconds>, LoadPlan::pace_slices> least_lag{};
  std::array<std::optional<std::chrono::nanoseconds>, LoadPlan::pace_slices> least_lateness{};
  std::array<std::chrono::nanoseconds, LoadPlan::pace_slices> stall{};
  std::string priority = "default";
  bool up_at_end = false;  // a connection to the target was up
  TimePoint ended;         // when sending ended: the schedule's end, or the interruption
};

// One thread of a run: a sending loop, and the books of what became of its packets.
class LoadThread final : private PacketSink {
 public:
  // `sending` is this thread's part of the plan.
  LoadThread(const LoadPlan& plan, const SendingPlan& sending, SeriesRecorder& series,
             std::atomic<unsigned>& busy_threads);

  // Opens all connections, up to `deadline`.
  Result<void> connect(TimePoint deadline, const std::stop_token& stop);
  // Sends from `start` (the first packet's time) to the schedule's end, then waits for what is in
  // flight until it has expired.
  void run(TimePoint start, const std::stop_token& stop);

  const ThreadTally& tally() const { return tally_; }
  const SendingLoop& loop() const { return loop_; }

 private:
  void on_turn(TimePoint now) override;
  void on_sent(const Packet& packet) override;
  void on_unsent(TimePoint due, std::size_t channel) override;
  void on_end(const Packet& packet, PacketEnd end, std::string_view code, TimePoint now) override;
  void on_first_byte(const Packet& packet, TimePoint at) override;
  void on_up(const Opening& opening) override;
  void on_late_answer(const Packet& packet) override;
  void on_duplicate() override { ++tally_.duplicates; }
  void on_unexpected() override { ++tally_.unexpected; }
  void on_stall(std::chrono::nanoseconds stall, TimePoint now) override;
  void on_down(std::size_t channel, const std::string& why) override;

  void drain(const std::stop_token& stop);
  void count_fulfilled(const Packet& packet, TimePoint now);
  PacketCounts& counts_of(TimePoint due) {
    return due >= window_begin_ ? tally_.packets : tally_.warmup_packets;
  }
  std::optional<std::size_t> slice_of(TimePoint time) const;

  const LoadPlan& plan_;
  SeriesRecorder& series_;
  std::atomic<unsigned>& busy_threads_;  // with packets in flight
  SendingLoop loop_;
  TimePoint window_begin_;
  TimePoint window_end_;
  std::optional<TimePoint> outstanding_since_;
  ThreadSecond second_;
  std::size_t second_index_ = 0;
  bool series_begun_ = false;
  ThreadTally tally_;
};

}  // namespace slipway::bench
