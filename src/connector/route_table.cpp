#include "connector/route_table.hpp"

#include <array>

namespace slipway::connector {
namespace {

// An address has at most 512 segments.
constexpr std::size_t max_boundaries = 512;

// FNV-1a: incremental, so that all prefixes of an address are hashed in one pass over it; the
// final mix spreads it over the low bits that choose a slot.
constexpr std::uint64_t hash_start = 0xcbf29ce484222325;
constexpr std::uint64_t hash_step(std::uint64_t hash, char c) {
  return (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
}
constexpr std::uint64_t hash_finish(std::uint64_t hash) {
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93;
  return hash ^ hash >> 32;
}

}  // namespace

void RouteTable::add(std::string_view prefix, AccountIndex account) {
  if (prefix.empty()) {
    default_ = account;
    return;
  }
  std::uint64_t hash = hash_start;
  for (const char c : prefix) hash = hash_step(hash, c);
  hash = hash_finish(hash);
  if (const Slot* found = probe(hash, prefix)) {
    slots_[static_cast<std::size_t>(found - slots_.data())].account = account;
    return;
  }
  if (2 * (size_ + 1) > slots_.size()) grow();
  insert({hash, static_cast<std::uint32_t>(text_.size()), static_cast<std::uint16_t>(prefix.size()),
          true, account});
  text_ += prefix;
  ++size_;
  longest_ = std::max(longest_, prefix.size());
}

void RouteTable::insert(const Slot& slot) {
  std::size_t at = slot.hash & (slots_.size() - 1);
  while (slots_[at].used) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

void RouteTable::grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
  std::swap(old, slots_);
  for (const Slot& slot : old) {
    if (slot.used) insert(slot);
  }
}

const RouteTable::Slot* RouteTable::probe(std::uint64_t hash, std::string_view prefix) const {
  if (slots_.empty()) return nullptr;
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].used;
       at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.hash == hash && std::string_view(text_).substr(slot.offset, slot.length) == prefix) {
      return &slot;
    }
  }
  return nullptr;
}

std::optional<AccountIndex> RouteTable::find(std::string_view address) const {
  struct Boundary {
    std::uint64_t hash;
    std::size_t length;
  };
  std::array<Boundary, max_boundaries + 1> boundaries;
  std::size_t count = 0;
  std::uint64_t hash = hash_start;
  const std::size_t end = std::min(address.size(), longest_);
  for (std::size_t i = 0; i < end; ++i) {
    if (address[i] == '.' && count < max_boundaries) boundaries[count++] = {hash, i};
    hash = hash_step(hash, address[i]);
  }
  if (end == address.size() || address[end] == '.') boundaries[count++] = {hash, end};
  for (; count > 0; --count) {
    const Boundary& boundary = boundaries[count - 1];
    const Slot* found = probe(hash_finish(boundary.hash), address.substr(0, boundary.length));
    if (found != nullptr) return found->account;
  }
  return default_;
}

}  // namespace slipway::connector
