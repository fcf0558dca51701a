#pragma once

#include "connector/btp_peer.hpp"
#include "connector/packets.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace slipway::connector::test {

// Alice pays bob through one connector at a steady rate, by amounts that no two packets share, and
// both remember what they saw. A connector commits bob's fulfilments in the order in which he sent
// them, so what it has kept must be the sum of the first so many.
class Payments {
 public:
  using Clock = std::chrono::steady_clock;

  // `window`: how many may be unanswered.
  Payments(std::uint16_t port, double rate, std::uint64_t seed, std::size_t window = 4000);

  // Sends what is due, unless `only_answer`, and serves both.
  void step(bool only_answer = false);
  // Reads what the kernel still has of a connector that is dead.
  void read_last_words();
  bool closed() const { return alice_.closed() || bob_.closed(); }
  std::size_t unanswered() const { return amounts_.size(); }

  // Sums of bob's fulfilments: none of them, the first, the first two, ...
  const std::vector<std::int64_t>& sums() const { return sums_; }
  // How many of them must be kept if every Fulfill that alice saw is.
  std::size_t seen() const { return seen_; }
  std::size_t seen_count() const { return seen_count_; }
  // How long a time's Fulfills that alice saw are not among the first `kept`: by when bob sent them
  // or by when alice saw them, whichever is shorter; this process may have been held up in between.
  std::chrono::nanoseconds span_beyond(std::size_t kept) const;
  const std::map<std::string, std::uint64_t>& rejects() const { return rejects_; }

 private:
  struct Times {
    Clock::time_point fulfilled;
    std::optional<Clock::time_point> seen;
  };
  void pay();
  void answer(const wire::BtpFrame& frame);
  void take(const wire::BtpFrame& frame);

  BtpPeer alice_;
  BtpPeer bob_;
  double rate_;
  std::size_t window_;
  std::mt19937_64 random_;
  Clock::time_point began_ = Clock::now();
  std::uint32_t number_ = 0;
  std::map<std::uint32_t, std::int64_t> amounts_;  // of what alice waits for
  std::map<std::uint32_t, std::size_t> order_;     // which of bob's fulfilments it is
  std::vector<std::int64_t> sums_{0};
  std::vector<Times> times_;
  std::size_t seen_ = 0;
  std::size_t seen_count_ = 0;
  std::map<std::string, std::uint64_t> rejects_;
};

}  // namespace slipway::connector::test
