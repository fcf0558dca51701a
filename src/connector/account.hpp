#pragma once

#include "connector/config.hpp"
#include "connector/histogram.hpp"
#include "connector/link.hpp"
#include "connector/reject_code.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace slipway::connector {

// What an account is worth and what is promised of it. The balance is what we owe the account. A
// Prepare from it holds its amount (debit), a Prepare to it holds room for it (credit); a Fulfill
// commits, a Reject or a timeout releases. Every operation keeps
//   minimum <= balance - held_debit  and  balance + held_credit <= maximum.
class Balance {
 public:
  Balance(std::int64_t minimum, std::int64_t maximum) : minimum_(minimum), maximum_(maximum) {}

  // Each refuses, changing nothing, what the limits do not allow.
  bool hold_debit(std::uint64_t amount) {
    std::int64_t held;
    std::int64_t left;
    if (__builtin_add_overflow(held_debit_, amount, &held) ||
        __builtin_sub_overflow(balance_, held, &left) || left < minimum_) {
      return false;
    }
    held_debit_ = held;
    return true;
  }
  bool hold_credit(std::uint64_t amount) {
    std::int64_t held;
    std::int64_t total;
    if (__builtin_add_overflow(held_credit_, amount, &held) ||
        __builtin_add_overflow(balance_, held, &total) || total > maximum_) {
      return false;
    }
    held_credit_ = held;
    return true;
  }
  void release_debit(std::uint64_t amount) { held_debit_ -= static_cast<std::int64_t>(amount); }
  void release_credit(std::uint64_t amount) { held_credit_ -= static_cast<std::int64_t>(amount); }
  void commit_debit(std::uint64_t amount) {
    release_debit(amount);
    balance_ -= static_cast<std::int64_t>(amount);
  }
  void commit_credit(std::uint64_t amount) {
    release_credit(amount);
    balance_ += static_cast<std::int64_t>(amount);
  }

  std::int64_t value() const { return balance_; }
  std::int64_t held_debit() const { return held_debit_; }
  std::int64_t held_credit() const { return held_credit_; }

 private:
  std::int64_t minimum_;
  std::int64_t maximum_;
  std::int64_t balance_ = 0;
  std::int64_t held_debit_ = 0;
  std::int64_t held_credit_ = 0;
};

// A token bucket that starts full.
class TokenBucket {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit TokenBucket(const RateLimit& limit) : limit_(limit), tokens_(limit.burst) {}

  bool take(TimePoint now) {
    if (last_ != TimePoint{}) {
      const double seconds = std::chrono::duration<double>(now - last_).count();
      tokens_ = std::min(limit_.burst, tokens_ + seconds * limit_.packets_per_second);
    }
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  RateLimit limit_;
  double tokens_;
  TimePoint last_;
};

// One account while the connector runs.
struct Account {
  explicit Account(const AccountConfig& configured)
      : config(&configured), balance(configured.minimum_balance, configured.maximum_balance) {
    if (configured.rate_limit) bucket.emplace(*configured.rate_limit);
  }

  const AccountConfig* config;
  Balance balance;
  std::optional<TokenBucket> bucket;
  std::uint32_t in_flight = 0;  // Prepares from it that are not answered
  LinkId link;                  // where Prepares to it go; none: not connected
  // Packets answered, by outcome: from the account, and to it.
  std::array<std::uint64_t, outcomes.size()> incoming{};
  std::array<std::uint64_t, outcomes.size()> outgoing{};
  DurationHistogram duration;  // of packets from it, Prepare read to answer
};

}  // namespace slipway::connector
