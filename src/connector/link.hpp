#pragma once

#include "wire/ilp_packet.hpp"

#include <cstdint>
#include <vector>

namespace slipway::connector {

// Names a link without keeping it alive: once the link is gone the id finds nothing, also after its
// slot is used again. The default names none.
struct LinkId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(const LinkId&) const = default;
  explicit operator bool() const { return generation != 0; }
};

// Where packets come from and go to: a BTP socket, an HTTP exchange, a peer that is POSTed to.
// Nothing here blocks; what is sent is buffered and written with what else is ready.
class Link {
 public:
  virtual ~Link() = default;

  // Passes on a Prepare, as it came but with this amount and expiry. The answer comes back to the
  // Forwarder under `request_id`.
  virtual void send_prepare(std::uint32_t request_id, wire::Bytes packet, std::uint64_t amount,
                            wire::Timestamp expires_at) = 0;
  // Answers the request that came under this id with a Fulfill or Reject.
  virtual void send_reply(std::uint32_t request_id, wire::Bytes packet) = 0;
  // Whether so much waits to be written that no more Prepares should be sent.
  virtual bool congested() const = 0;
};

class LinkTable {
 public:
  LinkId add(Link& link) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.push_back({});
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot].link = &link;
    if (++slots_[slot].generation == 0) slots_[slot].generation = 1;
    return {slot, slots_[slot].generation};
  }
  void remove(LinkId id) {
    if (find(id) == nullptr) return;
    slots_[id.slot].link = nullptr;
    free_.push_back(id.slot);
  }
  Link* find(LinkId id) const {
    if (!id || slots_[id.slot].generation != id.generation) return nullptr;
    return slots_[id.slot].link;
  }

 private:
  struct Slot {
    Link* link = nullptr;
    std::uint32_t generation = 0;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace slipway::connector
