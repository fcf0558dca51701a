#pragma once

#include "connector/link.hpp"
#include "connector/route_table.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace slipway::connector {

// A Prepare that was passed on and is not answered yet.
struct Pending {
  std::array<std::uint8_t, 32> condition;
  std::uint64_t amount_in;
  std::uint64_t amount_out;
  std::chrono::steady_clock::time_point started;
  std::chrono::steady_clock::time_point deadline;
  LinkId origin;
  std::uint32_t origin_request;
  AccountIndex from;
  AccountIndex to;
  LinkId out_link;
  bool fulfilled = false;  // only its Fulfill has not gone on yet
};

// All packets in flight, found by the request id they went out under and by their deadline. Request
// ids are never used twice in a row for different packets: a late answer finds nothing. Memory is
// kept for reuse; in steady state nothing is allocated.
class PendingTable {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::uint32_t capacity = std::uint32_t{1} << 18;

  explicit PendingTable(TimePoint now);

  bool full() const { return size_ == capacity; }
  std::size_t size() const { return size_; }

  // Adds one (not when full) and returns the request id to send it under.
  std::uint32_t add(const Pending& pending);
  Pending* find(std::uint32_t request_id);
  void remove(std::uint32_t request_id);

  // Calls expired(request_id, pending) for each whose deadline has passed; it is to remove it.
  template <typename Expired>
  void expire(TimePoint now, Expired expired) {
    const std::uint64_t until = tick_of(now);
    for (; next_tick_ <= until; ++next_tick_) {
      std::uint32_t slot = wheel_[next_tick_ % wheel_size];
      while (slot != none) {
        const std::uint32_t following = slots_[slot].next;
        if (slots_[slot].pending.deadline <= now) expired(id_of(slot), slots_[slot].pending);
        slot = following;
      }
      if (size_ == 0) next_tick_ = until;
    }
  }

  // Calls visit(request_id, pending) for each; it may remove that one.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].used) visit(id_of(slot), slots_[slot].pending);
    }
  }

  // How late expire() sees a deadline at most, when it is called that often.
  static constexpr std::chrono::milliseconds resolution{8};

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  static constexpr std::uint32_t wheel_size = 4096;
  static constexpr std::uint32_t slot_bits = 18;

  struct Slot {
    Pending pending;
    std::uint32_t generation = 0;
    std::uint32_t next = none;
    std::uint32_t previous = none;
    std::uint32_t bucket = 0;
    bool used = false;
  };

  std::uint64_t tick_of(TimePoint time) const {
    return time <= epoch_ ? 0 : static_cast<std::uint64_t>((time - epoch_) / resolution);
  }
  std::uint32_t id_of(std::uint32_t slot) const {
    return slots_[slot].generation << slot_bits | slot;
  }

  TimePoint epoch_;
  std::uint64_t next_tick_ = 0;
  std::size_t size_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::array<std::uint32_t, wheel_size> wheel_;  // heads of lists of slots
};

}  // namespace slipway::connector
