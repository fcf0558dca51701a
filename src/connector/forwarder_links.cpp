// What becomes of packets when links come and go, and when time passes.
#include "connector/forwarder.hpp"

#include <utility>

namespace slipway::connector {

void Forwarder::expire(const Now& now) {
  pending_.expire(now.steady, [&](std::uint32_t id, Pending& pending) {
    if (pending.fulfilled) return;
    if (!pending.out_link) {
      fail(id, pending, "T01", "the peer is not connected", now);
    } else {
      fail(id, pending, "R00", "the peer did not answer in time", now);
    }
  });
  sweep_waiting();
}

void Forwarder::abandon_all(std::string_view code, std::string_view message, const Now& now) {
  pending_.for_each([&](std::uint32_t id, Pending& pending) {
    if (!pending.fulfilled) fail(id, pending, code, message, now);
  });
  sweep_waiting();
}

void Forwarder::sweep_waiting() {
  waiting_room_.sweep([&](std::uint32_t id) { return pending_.find(id) != nullptr; });
}

void Forwarder::fail_link(LinkId link, const Now& now) {
  if (pending_.size() == 0) return;
  pending_.for_each([&](std::uint32_t id, Pending& pending) {
    if (pending.out_link == link && !pending.fulfilled)
      fail(id, pending, "T01", "the peer's connection was lost", now);
  });
}

void Forwarder::attach(AccountIndex account, LinkId link, const Now& now, Before before) {
  const LinkId replaced = std::exchange(accounts_[account].link, link);
  if (replaced && before == Before::is_lost) fail_link(replaced, now);
  send_waiting(account, now);
}

// Under another id each: nothing was sent under the one that it waited with.
void Forwarder::send_waiting(AccountIndex account, const Now& now) {
  Link* const link = links_.find(accounts_[account].link);
  for (const WaitingRoom::Waiting& waiting : waiting_room_.arrived(account)) {
    Pending* const found = pending_.find(waiting.id);
    if (found == nullptr) continue;
    if (waiting.deadline <= now.steady) {
      fail(waiting.id, *found, "R00", "the peer did not connect in time", now);
      continue;
    }
    Pending pending = *found;
    pending_.remove(waiting.id);
    pending.out_link = accounts_[account].link;
    pending.deadline = waiting.deadline;
    const std::uint32_t id = pending_.add(pending);
    link->send_prepare(id, waiting.packet, pending.amount_out, waiting.expires_at);
  }
}

void Forwarder::detach(AccountIndex account, LinkId link, const Now& now) {
  if (accounts_[account].link == link) accounts_[account].link = {};
  fail_link(link, now);
}

}  // namespace slipway::connector
