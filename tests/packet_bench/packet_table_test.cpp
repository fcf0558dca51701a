#include "packet_bench/load/packet_table.hpp"

#include "support/catch.hpp"

#include <vector>

using namespace slipway::bench;
using namespace std::chrono_literals;
using Found = PacketTable::Found;

TEST_CASE("an answer finds its packet once, and a second one is a duplicate", "[packet_table]") {
  PacketTable table(4);
  const std::uint32_t ticket = table.add({.number = 7});
  CHECK(table.in_flight() == 1);
  const auto first = table.take(ticket);
  CHECK(first.found == Found::in_flight);
  CHECK(first.packet.number == 7);
  CHECK(table.in_flight() == 0);
  CHECK(table.take(ticket).found == Found::duplicate);
}

TEST_CASE("an answer to an older packet of the same slot is a duplicate", "[packet_table]") {
  PacketTable table(2);
  const std::uint32_t old_ticket = table.add({.number = 1});
  table.take(old_ticket);
  const std::uint32_t new_ticket = table.add({.number = 2});
  CHECK(new_ticket != old_ticket);
  CHECK(table.take(old_ticket).found == Found::duplicate);
  CHECK(table.take(new_ticket).packet.number == 2);
}

TEST_CASE("an answer to a ticket that was never given out is unknown", "[packet_table]") {
  PacketTable table(3);
  CHECK(table.take(0).found == Found::unknown);
  CHECK(table.take(3).found == Found::unknown);
  table.take(table.add({}));
  CHECK(table.take(0x7fffffff).found == Found::unknown);
}

TEST_CASE("a given up packet is told apart when its answer comes after all", "[packet_table]") {
  PacketTable table(8);
  const TimePoint start = Clock::now();
  const std::uint32_t early = table.add({.number = 1, .expires = start + 1s});
  const std::uint32_t later = table.add({.number = 2, .expires = start + 9s});
  std::vector<std::uint64_t> given_up;
  table.give_up_expired(
      start + 2s, 8, [&](const PacketTable::Packet& packet) { given_up.push_back(packet.number); });
  CHECK(given_up == std::vector<std::uint64_t>{1});
  CHECK(table.take(early).found == Found::given_up);
  CHECK(table.take(early).found == Found::duplicate);
  CHECK(table.take(later).found == Found::in_flight);
}

TEST_CASE("a lost channel takes its own packets with it and no others", "[packet_table]") {
  PacketTable table(8);
  for (std::uint64_t i = 0; i < 6; ++i) {
    table.add({.number = i, .channel = static_cast<std::uint16_t>(i % 2)});
  }
  std::size_t lost = 0;
  table.give_up_link(1, 0, [&](const PacketTable::Packet& packet) { lost += packet.number % 2; });
  CHECK(lost == 3);
  CHECK(table.in_flight() == 3);
}

TEST_CASE("a table is full at its capacity and usable again after answers", "[packet_table]") {
  PacketTable table(2);
  const std::uint32_t ticket = table.add({});
  table.add({});
  CHECK(table.full());
  table.take(ticket);
  CHECK_FALSE(table.full());
}
