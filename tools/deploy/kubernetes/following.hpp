#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace slipway::deploy {

// When all nodes send new connections where the Service's EndpointSlices say. Nobody can be asked;
// kube-proxy gathers changes for a second (--iptables-min-sync-period) before it follows them. That
// second begins when the slices are right, which may be long after the flip: who writes them was
// also cut off by an absence of the API server. Pure: the caller has the clock.
class Following {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // What the slices said at `now`.
  void note(bool slices_are_right, TimePoint now) {
    if (!slices_are_right) {
      right_since_.reset();
    } else if (!right_since_) {
      right_since_ = now;
    }
  }
  // `nodes_back`: see Absence.
  bool done(TimePoint now, TimePoint nodes_back) const {
    return right_since_ && now >= std::max(*right_since_, nodes_back) + gathering;
  }

 private:
  static constexpr std::chrono::milliseconds gathering{1500};

  std::optional<TimePoint> right_since_;
};

}  // namespace slipway::deploy
