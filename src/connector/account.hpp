#pragma once

#include "connector/config.hpp"
#include "connector/histogram.hpp"
#include "connector/link.hpp"
#include "connector/reject_code.hpp"
#include "ledger/books.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace slipway::connector {

// What an account is worth and what is promised of it. The balance is what we owe the account. A
// Prepare from it holds its amount (debit), a Prepare to it holds room for it (credit); a Fulfill
// commits, a Reject or a timeout releases. Where several connectors serve the account, each has a
// part of the balance and of its limits (ledger::Part). Every operation keeps
//   floor <= part - held_debit  and  part + held_credit <= ceiling.
class Balance {
 public:
  Balance(std::int64_t floor, std::int64_t ceiling) : floor_(floor), ceiling_(ceiling) {}

  // Each refuses, changing nothing, what the limits do not allow.
  bool hold_debit(std::uint64_t amount) {
    std::int64_t held;
    std::int64_t left;
    if (__builtin_add_overflow(held_debit_, amount, &held) ||
        __builtin_sub_overflow(part_, held, &left) || left < floor_) {
      return false;
    }
    held_debit_ = held;
    return true;
  }
  bool hold_credit(std::uint64_t amount) {
    std::int64_t held;
    std::int64_t total;
    if (__builtin_add_overflow(held_credit_, amount, &held) ||
        __builtin_add_overflow(part_, held, &total) || total > ceiling_) {
      return false;
    }
    held_credit_ = held;
    return true;
  }
  void release_debit(std::uint64_t amount) { held_debit_ -= static_cast<std::int64_t>(amount); }
  void release_credit(std::uint64_t amount) { held_credit_ -= static_cast<std::int64_t>(amount); }
  void commit_debit(std::uint64_t amount) {
    release_debit(amount);
    part_ -= static_cast<std::int64_t>(amount);
  }
  void commit_credit(std::uint64_t amount) {
    release_credit(amount);
    part_ += static_cast<std::int64_t>(amount);
  }

  // All of it, with what is known of the other parts.
  std::int64_t value() const { return ledger::clamped(others_ + part_); }
  ledger::Part part() const { return {part_, floor_, ceiling_}; }
  std::int64_t held_debit() const { return held_debit_; }
  std::int64_t held_credit() const { return held_credit_; }

  void set_others(ledger::Wide others) { others_ = others; }
  // What is held stays within them, whoever says otherwise.
  void set_limits(std::int64_t floor, std::int64_t ceiling) {
    floor_ = std::min(floor, part_ - held_debit_);
    ceiling_ = std::max(ceiling, part_ + held_credit_);
  }
  // So much of the part belongs to the others now.
  void hand_over(std::int64_t amount) {
    part_ -= amount;
    others_ += amount;
  }

 private:
  std::int64_t floor_;
  std::int64_t ceiling_;
  std::int64_t part_ = 0;
  ledger::Wide others_ = 0;
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
  std::uint32_t asset = 0;      // index of its asset
  bool changed = false;         // its balance, since that was last taken to be written
  std::uint32_t in_flight = 0;  // Prepares from it that are not answered
  std::uint32_t owed = 0;       // Prepares to it that are not answered
  std::chrono::steady_clock::time_point last_paid;  // when the last Prepare to it came
  LinkId link;                                      // where Prepares to it go; none: not connected
  // Packets answered, by outcome: from the account, and to it.
  std::array<std::uint64_t, outcomes.size()> incoming{};
  std::array<std::uint64_t, outcomes.size()> outgoing{};
  DurationHistogram duration;  // of packets from it, Prepare read to answer
};

}  // namespace slipway::connector
