#pragma once

#include "packet_bench/common/clock.hpp"
#include "packet_bench/load/packet_table.hpp"
#include "packet_bench/result/run_result.hpp"
#include "packet_bench/target/scheme.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::bench {

// How a packet ended that was sent.
enum class PacketEnd { fulfilled, rejected, late, failed, wrong, given_up };

// Enters one in the books; `code`: of a reject.
void count_end(PacketCounts& counts, PacketEnd end, std::string_view code);

// What the loop tells of its packets, on its thread.
class PacketSink {
 public:
  using Packet = PacketTable::Packet;

  virtual ~PacketSink() = default;
  // A turn of the loop begins.
  virtual void on_turn(TimePoint) {}
  virtual void on_sent(const Packet& packet) = 0;
  // It was not sent and will not be: for lack of room, over `channel` if that was given.
  virtual void on_unsent(TimePoint due, std::size_t channel) = 0;
  // `code`: of a reject.
  virtual void on_end(const Packet& packet, PacketEnd end, std::string_view code,
                      TimePoint now) = 0;
  // The first byte of an answer to it arrived, which on_end tells of later.
  virtual void on_first_byte(const Packet&, TimePoint) {}
  virtual void on_up(const Opening&) {}
  // An answer to a packet that had been given up.
  virtual void on_late_answer(const Packet&) {}
  virtual void on_duplicate() {}
  virtual void on_unexpected() {}
  // Packets were due, and for so long this loop did not run.
  virtual void on_stall(std::chrono::nanoseconds stall, TimePoint now) = 0;
  // A connection was lost; its packets have been given up.
  virtual void on_down(std::size_t channel, const std::string& why) = 0;
};

}  // namespace slipway::bench
