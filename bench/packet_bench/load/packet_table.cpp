#include "packet_bench/load/packet_table.hpp"

#include <algorithm>
#include <bit>

namespace slipway::bench {

PacketTable::PacketTable(std::size_t capacity)
    : capacity_(capacity),
      slot_bits_(static_cast<unsigned>(std::bit_width(std::bit_ceil(capacity)) - 1)) {
  slots_.reserve(capacity);
  free_.reserve(capacity);
}

std::uint32_t PacketTable::add(const Packet& packet) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  Packet& kept = slots_[slot];
  // From 1 on: generation 0 is a slot that was never used.
  const std::uint32_t last = (std::uint32_t{1} << std::min(16u, 32 - slot_bits_)) - 1;
  const auto generation =
      static_cast<std::uint16_t>(kept.generation < last ? kept.generation + 1u : 1u);
  kept = packet;
  kept.in_flight = true;
  kept.given_up = false;
  kept.generation = generation;
  return std::uint32_t{generation} << slot_bits_ | slot;
}

PacketTable::Lookup PacketTable::take(std::uint32_t ticket) {
  const std::uint32_t slot = ticket & ((std::uint32_t{1} << slot_bits_) - 1);
  if (slot >= slots_.size()) return {Found::unknown, {}};
  Packet& kept = slots_[slot];
  const std::uint32_t generation = ticket >> slot_bits_;
  // A ticket from the future was never given out; one from the past was answered or given up.
  if (generation == 0 || generation > kept.generation) return {Found::unknown, {}};
  if (generation < kept.generation) return {Found::duplicate, {}};
  if (kept.in_flight) {
    kept.in_flight = false;
    free_.push_back(slot);
    return {Found::in_flight, kept};
  }
  if (!kept.given_up) return {Found::duplicate, {}};
  kept.given_up = false;  // a further answer is a duplicate
  return {Found::given_up, kept};
}

}  // namespace slipway::bench
