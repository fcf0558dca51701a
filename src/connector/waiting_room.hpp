#pragma once

#include "connector/route_table.hpp"
#include "wire/ilp_packet.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace slipway::connector {

// Prepares to accounts whose peers are about to connect: when a standby becomes active its peers'
// sockets are still with the instance before, for as long as that one answers what it accepted. A
// sender would have to send again what is refused meanwhile. How much may wait is bounded in bytes
// and in time; what cannot is refused as it always was.
class WaitingRoom {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  // How long a packet waits at most: longer than the turns of those who move (DepartureRules).
  static constexpr std::chrono::milliseconds longest{2000};
  // Of all that wait: a second of 10,000 packets/s of 600 bytes, well below a container's memory.
  static constexpr std::size_t most_bytes = std::size_t{8} << 20;

  struct Waiting {
    std::uint32_t id;            // in the table of what is pending
    TimePoint deadline;          // once it is on its way
    wire::Timestamp expires_at;  // as it will be passed on
    std::vector<std::uint8_t> packet;
  };

  // From now on, until then, peers that have not connected since are waited for.
  void expect_peers(TimePoint until) {
    until_ = until;
    seen_.clear();
  }
  // The account's peer is there, or was: it is waited for no more. What waits for it, oldest first.
  std::deque<Waiting> arrived(AccountIndex account) {
    if (until_ != TimePoint{}) seen_.insert(account);
    const auto found = rooms_.find(account);
    if (found == rooms_.end()) return {};
    std::deque<Waiting> all = std::move(found->second);
    rooms_.erase(found);
    for (const Waiting& one : all) bytes_ -= one.packet.size();
    return all;
  }
  // Whether a packet of this size to the account may wait.
  bool admits(AccountIndex account, std::size_t bytes, TimePoint now) const {
    return now < until_ && !seen_.contains(account) && bytes_ + bytes <= most_bytes;
  }
  void add(AccountIndex account, Waiting waiting) {
    bytes_ += waiting.packet.size();
    rooms_[account].push_back(std::move(waiting));
  }
  // Forgets those at the front that wait no longer, by their id.
  template <typename Waits>
  void sweep(Waits still_waits) {
    for (auto room = rooms_.begin(); room != rooms_.end();) {
      auto& queue = room->second;
      while (!queue.empty() && !still_waits(queue.front().id)) {
        bytes_ -= queue.front().packet.size();
        queue.pop_front();
      }
      room = queue.empty() ? rooms_.erase(room) : std::next(room);
    }
  }
  std::size_t bytes() const { return bytes_; }

 private:
  TimePoint until_{};
  std::set<AccountIndex> seen_;  // since peers are expected
  std::map<AccountIndex, std::deque<Waiting>> rooms_;
  std::size_t bytes_ = 0;
};

}  // namespace slipway::connector
