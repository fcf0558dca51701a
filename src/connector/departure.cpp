#include "connector/departure.hpp"

#include "connector/btp_connection.hpp"

#include <algorithm>

namespace slipway::connector {
namespace {

constexpr auto tick_every = std::chrono::milliseconds(1);
// With more of them due than this they are looked at every tick, and not with every answer.
constexpr std::size_t few = 64;

bool was_paid(const Account& account, std::chrono::steady_clock::time_point began) {
  return account.last_paid >= began - DepartureRules::recently;
}

}  // namespace

void Departure::begin(bool tells, std::function<bool()> others_send, std::function<void()> over) {
  tells_ = tells;
  others_send_ = std::move(others_send);
  over_ = std::move(over);
  began_ = std::chrono::steady_clock::now();
  gather();
  // An answer is always written after what makes its peer one that may be closed.
  hub_.before_flush([this] {
    if (due_.size() <= few) close_who_may(std::chrono::steady_clock::now());
  });
  tick();
}

void Departure::stop() {
  over_ = nullptr;
  hub_.before_flush(nullptr);
  timer_.cancel();
  to_come_.clear();
  due_.clear();
}

bool Departure::moves(const BtpConnection& connection) const {
  return tells_ && connection.understands_drain();
}

// Also those who had only begun to authenticate when the drain began.
void Departure::gather() {
  const auto group = [this](const Leaving& leaving) {
    const AccountIndex account = leaving.connection->account().value();
    return DepartureRules::group(moves(*leaving.connection),
                                 was_paid(hub_.forwarder.accounts()[account], began_));
  };
  for (const auto& connection : hub_.connections()) {
    if (connection->is_open() && !connection->has_moved()) to_come_.push_back({connection, {}});
  }
  std::sort(to_come_.begin(), to_come_.end(),
            [&](const Leaving& a, const Leaving& b) { return group(a) > group(b); });
  const DepartureRules rules(to_come_.size(), hub_.config.limits.drain_timeout);
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t rank = 0; rank < to_come_.size(); ++rank) {
    to_come_[to_come_.size() - 1 - rank].turn = now + rules.turn(rank);
  }
}

void Departure::tick() {
  if (!over_) return;
  const auto now = std::chrono::steady_clock::now();
  take_turns(now);
  close_who_may(now);
  if (to_come_.empty() && due_.empty()) gather();
  if (to_come_.empty() && due_.empty()) {
    const auto over = std::move(over_);
    stop();
    over();
    return;
  }
  timer_.expires_at(now + tick_every);
  timer_.async_wait([this](boost::system::error_code failed) {
    if (!failed) tick();
  });
}

void Departure::take_turns(TimePoint now) {
  std::size_t moving = 0;
  for (const Leaving& leaving : due_) {
    if (leaving.told && DepartureRules::may_pay(state_of(leaving, now))) ++moving;
  }
  while (!to_come_.empty() && to_come_.back().turn <= now) {
    const bool moves_next = moves(*to_come_.back().connection);
    if (moves_next && !DepartureRules::may_tell(moving)) return;
    Leaving& next = due_.emplace_back(std::move(to_come_.back()));
    to_come_.pop_back();
    next.turn = now;
    if (!moves_next) continue;
    next.connection->send_drain_notice();
    next.told = true;
    ++moving;
  }
}

DepartureRules::Peer Departure::state_of(const Leaving& leaving, TimePoint now) const {
  const Account& account = hub_.forwarder.accounts()[leaving.connection->account().value()];
  return {.told = leaving.told,
          .moved = leaving.connection->has_moved(),
          .paid = was_paid(account, began_),
          .unanswered = account.in_flight + account.owed,
          .unpaid_for = now - account.last_paid,
          .since_turn = now - leaving.turn};
}

void Departure::close_who_may(TimePoint now) {
  std::erase_if(due_, [](const Leaving& leaving) {
    return !leaving.connection->is_open() || leaving.connection->has_moved();
  });
  const bool payers_left = !to_come_.empty() || others_send_() ||
                           std::any_of(due_.begin(), due_.end(), [&](const Leaving& leaving) {
                             return DepartureRules::may_pay(state_of(leaving, now));
                           });
  std::erase_if(due_, [&](const Leaving& leaving) {
    const bool closes = DepartureRules::may_close(state_of(leaving, now), payers_left) &&
                        !leaving.connection->has_unread();
    if (closes) {
      leaving.connection->close(wire::CloseCode::going_away, "the connector is being replaced");
    }
    return closes;
  });
}

}  // namespace slipway::connector
