#pragma once

#include <chrono>
#include <cstdint>
#include <time.h>

namespace slipway::connector {

// A slowdown of known size, for proving that a performance gate sees it (`testExtraCpuPercent`):
// after every few packets it spends processor time until what it has spent is the given share of
// what the process has spent without it, the kernel's part included. So x percent is x percent of
// whatever a packet costs on this machine at this moment, without any calibration beforehand.
class TestBurn {
 public:
  explicit TestBurn(double percent) : share_(percent / 100), origin_(share_ > 0 ? used() : zero) {}

  void after_round(std::uint64_t messages) {
    if (share_ == 0) return;
    messages_ += messages;
    // Reading the process's clock is a system call, which is part of what is burned.
    if (messages_ < messages_between_looks) return;
    messages_ = 0;
    const Duration begin = used();
    const Duration own = begin - origin_ - burned_;
    const auto owed = std::chrono::duration_cast<Duration>(own * share_) - burned_;
    Duration now = used();
    while (now - begin < owed) now = used();
    burned_ += now - begin;
  }

 private:
  using Duration = std::chrono::nanoseconds;
  static constexpr Duration zero{0};
  static constexpr std::uint64_t messages_between_looks = 32;  // a packet is two messages

  static Duration used() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec);
  }

  double share_;
  Duration origin_;
  Duration burned_{0};
  std::uint64_t messages_ = 0;
};

}  // namespace slipway::connector
