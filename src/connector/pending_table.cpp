#include "connector/pending_table.hpp"

#include <algorithm>

#include <boost/assert.hpp>

namespace slipway::connector {

PendingTable::PendingTable(TimePoint now) : epoch_(now) {
  wheel_.fill(none);
}

std::uint32_t PendingTable::add(const Pending& pending) {
  BOOST_ASSERT(!full());
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  // After an idle time there is nothing to look at in the ticks that passed.
  if (size_ == 0) next_tick_ = std::max(next_tick_, tick_of(pending.started));
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  // Rounded up, so that when its tick has passed the deadline has too; a deadline further away than
  // one turn of the wheel is looked at once a turn.
  const std::uint64_t tick = std::max(tick_of(pending.deadline) + 1, next_tick_);
  slot.pending = pending;
  slot.used = true;
  slot.generation = (slot.generation + 1) & ((1U << (32 - slot_bits)) - 1);
  slot.bucket = static_cast<std::uint32_t>(tick % wheel_size);
  slot.previous = none;
  slot.next = wheel_[slot.bucket];
  if (slot.next != none) slots_[slot.next].previous = index;
  wheel_[slot.bucket] = index;
  ++size_;
  return id_of(index);
}

Pending* PendingTable::find(std::uint32_t request_id) {
  const std::uint32_t slot = request_id & (capacity - 1);
  if (slot >= slots_.size() || !slots_[slot].used || id_of(slot) != request_id) return nullptr;
  return &slots_[slot].pending;
}

void PendingTable::remove(std::uint32_t request_id) {
  const std::uint32_t index = request_id & (capacity - 1);
  Slot& slot = slots_[index];
  BOOST_ASSERT(slot.used && id_of(index) == request_id);
  if (slot.next != none) slots_[slot.next].previous = slot.previous;
  if (slot.previous != none) {
    slots_[slot.previous].next = slot.next;
  } else {
    wheel_[slot.bucket] = slot.next;
  }
  slot.used = false;
  free_.push_back(index);
  --size_;
}

}  // namespace slipway::connector
