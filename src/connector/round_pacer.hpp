#pragma once

#include <chrono>
#include <cstdint>

namespace slipway::connector {

// Decides how long the event loop rests after a round, as network cards do with interrupts: waking
// up for every single packet costs far more than the packet (36 us of processor against 1 us was
// measured), and what arrives during a rest of a quarter of a millisecond is read and answered
// together. Only above a rate at which that pays, never after a round that had many packets anyway,
// and not for a while once it has turned out to gather nothing: a peer that waits for each answer
// before it sends again would only be slowed down. Pure: the caller has the clock.
class RoundPacer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::nanoseconds;

  // A rest of zero: never.
  explicit RoundPacer(Duration rest) : rest_(rest) {}

  // How long to rest after a round in which `messages` were read.
  Duration after_round(std::uint64_t messages, TimePoint now) {
    if (rest_ == Duration::zero()) return rest_;
    messages_ += messages;
    if (now - window_start_ >= window) review(now);
    if (!busy_ || now < backed_off_until_ || messages >= enough_at_once) return Duration::zero();
    ++rests_;
    return rest_;
  }

 private:
  static constexpr Duration window = std::chrono::milliseconds(10);
  static constexpr Duration back_off = std::chrono::milliseconds(200);
  static constexpr double busy_messages_per_second = 4000;  // a packet is two messages
  static constexpr std::uint64_t enough_at_once = 64;

  void review(TimePoint now) {
    const double seconds = std::chrono::duration<double>(now - window_start_).count();
    busy_ = static_cast<double>(messages_) / seconds >= busy_messages_per_second;
    // Less than three messages a rest, request and answer counted: it does not pay.
    if (rests_ > 0 && messages_ < 3 * rests_) backed_off_until_ = now + back_off;
    window_start_ = now;
    messages_ = 0;
    rests_ = 0;
  }

  Duration rest_;
  TimePoint window_start_;
  TimePoint backed_off_until_;
  std::uint64_t messages_ = 0;
  std::uint64_t rests_ = 0;
  bool busy_ = false;
};

}  // namespace slipway::connector
