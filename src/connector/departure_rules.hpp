#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace slipway::connector {

// When a draining connector sends each of its peers away. Pure: the caller has the clock.
//
// All at once would bring all back at once, to a successor that has other things to do: they have
// turns, at an even pace that the one who knows their number sets. A peer that understands the
// drain notice gets it at its turn and moves by itself. Any other is closed, at an instant with
// nothing unanswered; what it has on the wire then is lost. So the order is by what a closing can
// cost:
//   1. who understands the notice, and first of them who is paid: packets that reach the successor
//      wait there for the payee;
//   2. who only sends, or does nothing;
//   3. who is paid and does not understand it. Nobody must be left here who pays it, because what
//      comes for it once it has gone is refused.
class DepartureRules {
 public:
  using Duration = std::chrono::nanoseconds;

  // A second of 4,000, each of which costs the successor a handshake; or this share of the drain,
  // so that there is time left for those who do not move.
  static constexpr Duration slowest_pace = std::chrono::microseconds(250);
  static constexpr int turns_share = 8;
  // So many are on their way at most, where the successor is slower than that.
  static constexpr std::size_t most_moving = 64;
  // For who was told to move and who is still being paid; then they are as any other.
  static constexpr Duration patience = std::chrono::milliseconds(2000);
  // Nothing came for it for so long: those who pay it have gone.
  static constexpr Duration quiet = std::chrono::milliseconds(20);
  // Paid within this time before the drain: it will be paid again.
  static constexpr Duration recently = std::chrono::milliseconds(1000);

  DepartureRules(std::size_t peers, Duration drain_timeout)
      : pace_(std::min(slowest_pace,
                       drain_timeout / turns_share /
                           static_cast<std::int64_t>(std::max<std::size_t>(1, peers)))) {}

  // The turns are in this order.
  static int group(bool understands, bool paid) {
    return understands ? (paid ? 0 : 1) : (paid ? 3 : 2);
  }
  // Of the peer of that rank, after the drain's begin.
  Duration turn(std::size_t rank) const { return pace_ * static_cast<std::int64_t>(rank); }

  // Whether another peer may be told to move now.
  static bool may_tell(std::size_t moving) { return moving < most_moving; }

  // A peer whose turn has come.
  struct Peer {
    bool told = false;
    bool moved = false;            // said that no more requests of it follow
    bool paid = false;             // Prepares went to it, recently before the drain or since
    std::uint32_t unanswered = 0;  // Prepares from it and to it
    Duration unpaid_for{};         // since the last Prepare to it
    Duration since_turn{};
  };
  // Whether it may be closed, if it has sent nothing that was not read. `payers_left`: any others
  // may still send Prepares here. Who has moved stays until all have gone.
  static bool may_close(const Peer& peer, bool payers_left) {
    if (peer.moved || peer.unanswered > 0) return false;
    if (peer.since_turn >= patience) return true;
    if (peer.told) return false;
    return !peer.paid || (!payers_left && peer.unpaid_for >= quiet);
  }
  // Whether it may still pay others, as far as they are to be kept for it.
  static bool may_pay(const Peer& peer) {
    return !peer.moved && (peer.told ? peer.since_turn < patience : !peer.paid);
  }

 private:
  Duration pace_;
};

}  // namespace slipway::connector
