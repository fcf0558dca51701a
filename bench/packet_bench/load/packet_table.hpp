#pragma once

#include "packet_bench/common/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace slipway::bench {

// The packets of one thread that are in flight, at most `capacity`. Nothing is allocated after
// construction; memory is touched as more are in flight than ever before.
// A ticket travels as the request id; it names a slot and the slot's generation, so that a second
// answer, or one to a packet that was given up, is told apart from a first.
class PacketTable {
 public:
  struct Packet {
    std::uint64_t number = 0;
    TimePoint due;
    TimePoint sent;
    TimePoint expires;
    std::uint16_t channel = 0;
    bool held = false;  // back by the target or a lost connection
    bool in_flight = false;
    bool given_up = false;  // how the slot's previous packet ended
    std::uint8_t link = 0;  // of the channel
    std::uint16_t generation = 0;
  };

  enum class Found { in_flight, given_up, duplicate, unknown };
  struct Lookup {
    Found found;
    Packet packet;  // valid for in_flight (which it no longer is) and given_up
  };

  explicit PacketTable(std::size_t capacity);

  std::size_t in_flight() const { return slots_.size() - free_.size(); }
  bool full() const { return free_.empty() && slots_.size() == capacity_; }

  // Precondition: not full().
  std::uint32_t add(const Packet& packet);
  // Ends the packet of this ticket because an answer came.
  Lookup take(std::uint32_t ticket);

  // Gives up packets: all of a link of a channel, or, looking at `count` slots further each time,
  // those that expired before `bound`. `given_up` is called with each.
  template <typename Function>
  void give_up_link(std::uint16_t channel, std::uint8_t link, Function&& given_up) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      const Packet& packet = slots_[slot];
      if (packet.in_flight && packet.channel == channel && packet.link == link) end(slot, given_up);
    }
  }
  template <typename Function>
  void give_up_expired(TimePoint bound, std::size_t count, Function&& given_up) {
    for (; count > 0 && !slots_.empty(); --count) {
      hand_ = hand_ + 1 < slots_.size() ? hand_ + 1 : 0;
      if (slots_[hand_].in_flight && slots_[hand_].expires < bound) end(hand_, given_up);
    }
  }
  template <typename Function>
  void give_up_all(Function&& given_up) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].in_flight) end(slot, given_up);
    }
  }

 private:
  template <typename Function>
  void end(std::uint32_t slot, Function&& given_up) {
    slots_[slot].in_flight = false;
    slots_[slot].given_up = true;
    free_.push_back(slot);
    given_up(slots_[slot]);
  }

  std::size_t capacity_;
  unsigned slot_bits_;
  std::vector<Packet> slots_;        // those that were ever needed
  std::vector<std::uint32_t> free_;  // last in, first out: the same few stay in the cache
  std::uint32_t hand_ = 0;
};

}  // namespace slipway::bench
