#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace slipway::deploy {

// Until when the nodes may not have heard yet of what an API server has that was away. What watches
// it asks again after 0.8 s, and each time after twice as long, up to 30 s, and up to that much
// more at random (client-go, tools/cache/reflector.go): never more than three times as long as it
// was away. A server that begins may answer once and then not again; a short absence does not end
// the wait for a long one. Pure: the caller has the clock.
class Absence {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Whether an answer came at `now`.
  void note(bool is_there, TimePoint now) {
    if (!is_there) {
      // It may have gone right after it answered last.
      if (!away_since_) away_since_ = there_.value_or(now);
      return;
    }
    if (away_since_) {
      const auto wait = std::min<TimePoint::duration>(times * (now - *away_since_), longest);
      nodes_back_ = std::max(nodes_back_, now + wait);
    }
    away_since_.reset();
    there_ = now;
  }
  TimePoint nodes_back() const { return nodes_back_; }

 private:
  static constexpr int times = 3;
  static constexpr std::chrono::seconds longest{60};

  std::optional<TimePoint> there_;
  std::optional<TimePoint> away_since_;
  TimePoint nodes_back_{};
};

}  // namespace slipway::deploy
