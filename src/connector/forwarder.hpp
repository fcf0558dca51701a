#pragma once

#include "base/sha256.hpp"
#include "connector/account.hpp"
#include "connector/config.hpp"
#include "connector/link.hpp"
#include "connector/packet_trace.hpp"
#include "connector/pending_table.hpp"
#include "connector/route_table.hpp"
#include "connector/waiting_room.hpp"
#include "ledger/progress.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace slipway::connector {

// The same instant on both clocks: expiries are wall-clock times, deadlines must not jump with it.
struct Now {
  wire::Timestamp wall;
  std::chrono::steady_clock::time_point steady;
  static Now read();
};

// What an ILPv4 connector does with packets (RFC 0027), without a socket and without a clock:
// checks, routes, holds, passes on, matches the answer, checks the fulfilment, commits or releases,
// and answers by itself when the peer is silent. Every Prepare gets exactly one answer.
class Forwarder {
 public:
  // `config` must outlive it.
  Forwarder(const Config& config, LinkTable& links, Now now);

  void handle_prepare(AccountIndex from, LinkId origin, std::uint32_t request_id,
                      wire::Bytes packet, const Now& now);
  // The peer's answer to what was sent on `link` under `request_id`; packet is what it answered
  // with, empty when that was no ILP packet. An answer that nothing waits for is counted, no more.
  void handle_reply(LinkId link, std::uint32_t request_id, wire::Bytes packet, const Now& now);

  // The request will get no answer, for the reason given: the sender is told with that code.
  void handle_failure(LinkId link, std::uint32_t request_id, std::string_view code,
                      std::string_view message, const Now& now);

  // A Fulfill whose transfer has to be durable first waits, is no Reject any more, and counts as in
  // flight; these let go on what is durable (by progress()), or what will never be: for shutting
  // down. The latter's number.
  void release_fulfills(const Now& now);
  std::size_t abandon_fulfills();
  std::size_t waiting_fulfills() const { return waiting_.size(); }

  // R00 for every packet whose time is over. To be called every PendingTable::resolution while
  // packets are in flight.
  void expire(const Now& now);
  // Answers every packet in flight with a Reject of that code, whatever comes later.
  void abandon_all(std::string_view code, std::string_view message, const Now& now);

  // What an account's new link does to the one before: that one is lost, and what waits for its
  // answers gets T01; or it still answers, until it is detached.
  enum class Before { is_lost, still_answers };
  // Prepares to `account` go to that link from now on.
  void attach(AccountIndex account, LinkId link, const Now& now, Before before = Before::is_lost);
  // The link is gone: what waits for its answers gets T01.
  void detach(AccountIndex account, LinkId link, const Now& now);

  // Peers are about to move here, until then: packets to those that have not come yet wait for them
  // a little instead of being refused.
  void expect_peers(std::chrono::steady_clock::time_point until) {
    waiting_room_.expect_peers(until);
  }

  // While draining for good, new Prepares are refused with T03, which senders retry.
  void refuse_new(bool refuse) { refuse_new_ = refuse; }
  // While balances cannot be kept, new Prepares are refused with T00.
  void refuse_for_ledger(bool refuse) { ledger_fails_ = refuse; }

  // Which transfers are durable, as far as the forwarder was told.
  ledger::Progress& progress() { return progress_; }
  const ledger::Progress& progress() const { return progress_; }
  // The accounts whose balance has changed since the last call.
  std::vector<AccountIndex> take_changed();
  bool has_changed() const { return !changed_.empty(); }
  void mark_changed(AccountIndex account);
  Balance& balance(AccountIndex account) { return accounts_[account].balance; }
  // Whether an account's part of its limits was too small since the last call.
  bool take_short() { return std::exchange(short_, false); }
  // What of each asset the connector itself has gained, by exchanging it and by rounding.
  std::map<ledger::Asset, ledger::Wide>& positions() { return positions_; }

  // The packets that are drawn for traces.
  PacketSample& sample() { return sample_; }

  std::size_t in_flight() const { return pending_.size(); }
  std::uint64_t late_replies() const { return late_replies_; }
  const std::vector<Account>& accounts() const { return accounts_; }

 private:
  struct Incoming;
  // The code and message of a refusal; no code: none.
  struct Refusal {
    std::string_view code;
    std::string_view message;
    std::uint64_t maximum_amount = 0;  // F08 only
    explicit operator bool() const { return !code.empty(); }
  };

  Refusal admit(Account& account, const wire::Prepare& prepare, const Now& now);
  void forward(Incoming& incoming, const wire::Prepare& prepare, const Now& now);
  Refusal choose(Incoming& incoming, const wire::Prepare& prepare, const Now& now);
  void send_waiting(AccountIndex account, const Now& now);
  void sweep_waiting();
  Refusal hold(Incoming& incoming, const wire::Prepare& prepare);
  bool answer_ildcp(Incoming& incoming, const wire::Prepare& prepare, const Now& now);
  void refuse(const Incoming& incoming, const Refusal& refusal, std::uint64_t amount,
              const Now& now);
  Pending* find_pending(LinkId link, std::uint32_t request_id);
  void settle(std::uint32_t id, Pending& pending, const wire::Fulfill& fulfill, wire::Bytes packet,
              const Now& now);
  void record_transfer(const Pending& pending);
  void fail(std::uint32_t id, Pending& pending, std::string_view code, std::string_view message,
            const Now& now);
  void release(std::uint32_t id, Pending& pending, std::string_view code, wire::Bytes packet,
               const Now& now);
  void finish(std::uint32_t id, Pending& pending, std::size_t outcome, wire::Bytes packet,
              const Now& now);
  void fail_link(LinkId link, const Now& now);
  const Ratio* ratio(AccountIndex from, AccountIndex to);
  wire::Bytes encode_reject(const Refusal& refusal, std::uint64_t amount);

  const Config& config_;
  LinkTable& links_;
  std::vector<Account> accounts_;
  RouteTable routes_;
  PendingTable pending_;
  Sha256 sha256_;
  Digest ildcp_condition_;
  bool refuse_new_ = false;
  bool ledger_fails_ = false;
  bool short_ = false;
  ledger::Progress progress_;
  std::vector<AccountIndex> changed_;
  std::map<ledger::Asset, ledger::Wide> positions_;
  struct Waiting {
    ledger::Progress::Ticket batch;
    std::uint32_t id;
    std::vector<std::uint8_t> packet;
  };
  std::deque<Waiting> waiting_;  // in the order of their batches
  WaitingRoom waiting_room_;
  std::uint64_t late_replies_ = 0;
  PacketSample sample_;
  std::vector<std::uint8_t> scratch_;
  // Exchange ratios already worked out, by (from, to); a denominator of 0 says there is none.
  std::unordered_map<std::uint64_t, Ratio> ratios_;
};

}  // namespace slipway::connector
