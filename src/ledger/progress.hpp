#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::ledger {

enum class Durability {
  none,   // balances are not kept
  batch,  // a Fulfill goes on at once, unless too much is not written yet
  sync,   // a Fulfill goes on when its transfer is durable
};

struct Policy {
  Durability durability = Durability::batch;
  std::chrono::milliseconds interval{50};  // of batches; sync writes as fast as the store can
  // With `batch`: while the oldest transfer that is not durable is older than this, Fulfills wait
  // as with `sync`. So a power cut takes back at most the transfers of so long a time.
  std::chrono::milliseconds at_risk{100};
  // A store that has not answered for so long counts as failed.
  std::chrono::milliseconds stall{2000};
};

// Which transfers are durable, when to write the others, and which Fulfills must wait until they
// are. A batch is what was committed since the last; one is under way at a time, and after a
// failure the same is to be handed over again. Pure: the caller has clock and store.
class Progress {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Ticket = std::uint64_t;  // number of a batch

  explicit Progress(const Policy& policy) : policy_(policy) {}

  // A transfer was committed in memory. Whether its Fulfill must wait for the batch `open()`.
  bool committed(TimePoint now) {
    if (policy_.durability == Durability::none) return false;
    if (!open_since_) open_since_ = now;
    return must_wait(now);
  }
  Ticket open() const { return open_; }

  // When the next batch, or a failed one, is to be handed over; nothing: there is none, or one is
  // under way.
  std::optional<TimePoint> due() const {
    if (failed_) return not_before_;
    if (!open_since_ || writing_) return std::nullopt;
    const bool at_once = policy_.durability == Durability::sync;
    return std::max(not_before_, at_once ? *open_since_ : *open_since_ + policy_.interval);
  }
  // The batch goes to the store; later commits belong to the next one. It has all that is not
  // durable: also of one that was handed over before and did not succeed.
  Ticket hand_over(TimePoint now) {
    writing_ = Writing{open_, oldest_not_durable().value_or(now), now};
    failed_ = false;
    open_since_.reset();
    return open_++;
  }
  // The one that failed goes to the store once more, with nothing added to it.
  void hand_over_again(TimePoint now) {
    writing_->begun = now;
    failed_ = false;
  }
  // Everything up to and with this batch is durable.
  void succeeded(TimePoint now) {
    durable_ = writing_->ticket;
    last_took_ = now - writing_->begun;
    writing_.reset();
    not_before_ = {};
  }
  // Whether it was written is not known.
  void failed(TimePoint now) {
    failed_ = true;
    not_before_ = now + retry_pause;
  }
  Ticket durable() const { return durable_; }

  // Age of the oldest transfer that is not durable; zero: all are.
  std::chrono::nanoseconds lag(TimePoint now) const {
    const auto oldest = oldest_not_durable();
    return oldest && *oldest < now ? now - *oldest : std::chrono::nanoseconds::zero();
  }
  bool must_wait(TimePoint now) const {
    return policy_.durability == Durability::sync || lag(now) > policy_.at_risk;
  }
  std::chrono::nanoseconds last_took() const { return last_took_; }
  const Policy& policy() const { return policy_; }

  static constexpr std::chrono::milliseconds retry_pause{200};

 private:
  struct Writing {
    Ticket ticket;
    TimePoint since;  // of its oldest transfer
    TimePoint begun;
  };

  std::optional<TimePoint> oldest_not_durable() const {
    return writing_ ? std::optional(writing_->since) : open_since_;
  }

  Policy policy_;
  Ticket open_ = 1;
  Ticket durable_ = 0;
  std::optional<TimePoint> open_since_;
  std::optional<Writing> writing_;
  bool failed_ = false;  // the one that was being written
  TimePoint not_before_{};
  std::chrono::nanoseconds last_took_{0};
};

std::string_view to_string(Durability durability);

}  // namespace slipway::ledger
