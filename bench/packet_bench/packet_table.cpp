#include "packet_bench/packet_table.hpp"

#include <bit>

namespace slipway::bench {

PacketTable::PacketTable(std::size_t capacity)
    : slot_bits_(static_cast<unsigned>(std::bit_width(std::bit_ceil(capacity)) - 1)),
      slots_(capacity) {
  free_.reserve(capacity);
  for (std::size_t slot = capacity; slot-- > 0;) free_.push_back(static_cast<std::uint32_t>(slot));
}

std::uint32_t PacketTable::add(const Packet& packet) {
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  Packet& kept = slots_[slot];
  const auto generation =
      static_cast<std::uint16_t>((kept.generation + 1u) & ((1u << (32 - slot_bits_)) - 1));
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
  if (ticket >> slot_bits_ != kept.generation) return {Found::duplicate, {}};
  if (kept.in_flight) {
    kept.in_flight = false;
    free_.push_back(slot);
    return {Found::in_flight, kept};
  }
  if (!kept.given_up) return {kept.generation == 0 ? Found::unknown : Found::duplicate, {}};
  kept.given_up = false;  // a further answer is a duplicate
  return {Found::given_up, kept};
}

}  // namespace slipway::bench
