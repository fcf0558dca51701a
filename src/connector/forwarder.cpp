#include "connector/forwarder.hpp"

#include "connector/exchange.hpp"
#include "wire/oer.hpp"

#include <algorithm>

namespace slipway::connector {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view ildcp_destination = "peer.config";
constexpr std::array<std::uint8_t, 32> zeros{};

ledger::Asset asset_of(const AccountConfig& account) {
  return {account.asset_code, account.asset_scale};
}

}  // namespace

Now Now::read() {
  return {std::chrono::floor<milliseconds>(std::chrono::system_clock::now()),
          std::chrono::steady_clock::now()};
}

// A Prepare on its way through, and what has been found out about it.
struct Forwarder::Incoming {
  AccountIndex from;
  LinkId origin;
  std::uint32_t request_id;
  wire::Bytes packet;
  wire::Bytes condition = {};  // none: it is no Prepare
  AccountIndex to = 0;
  std::uint64_t amount_out = 0;
  wire::Timestamp expires_at;  // as it will be passed on
};

Forwarder::Forwarder(const Config& config, LinkTable& links, Now now)
    : config_(config),
      links_(links),
      pending_(now.steady),
      progress_(config.ledger.policy),
      sample_(config.traces.url.empty() ? 0 : config.traces.share) {
  ildcp_condition_ = sha256_.digest(zeros);
  std::map<ledger::Asset, std::uint32_t> assets;
  for (const AccountConfig& account : config.accounts) {
    const auto next = static_cast<std::uint32_t>(assets.size());
    accounts_.emplace_back(account).asset =
        assets.try_emplace(asset_of(account), next).first->second;
  }
  for (AccountIndex i = 0; i < accounts_.size(); ++i) {
    if (config.accounts[i].relation == Relation::child) routes_.add(config.accounts[i].address, i);
    if (config.accounts[i].relation == Relation::parent) routes_.add("", i);
  }
  for (const RouteConfig& route : config.routes) {
    const auto account = std::find_if(config.accounts.begin(), config.accounts.end(),
                                      [&](const auto& one) { return one.id == route.account; });
    routes_.add(route.prefix, static_cast<AccountIndex>(account - config.accounts.begin()));
  }
}

void Forwarder::handle_prepare(AccountIndex from, LinkId origin, std::uint32_t request_id,
                               wire::Bytes packet, const Now& now) {
  Incoming incoming{.from = from, .origin = origin, .request_id = request_id, .packet = packet};
  const auto decoded = wire::decode_packet(packet);
  if (!decoded) {
    refuse(incoming, {"F01", decoded.error().what}, 0, now);
    return;
  }
  const auto* prepare = std::get_if<wire::Prepare>(&*decoded);
  if (prepare == nullptr) {
    refuse(incoming, {"F01", "packet type: not a Prepare"}, 0, now);
    return;
  }
  incoming.packet = wire::trim_packet(packet);
  incoming.condition = prepare->condition;
  if (const Refusal refusal = admit(accounts_[from], *prepare, now)) {
    refuse(incoming, refusal, prepare->amount, now);
  } else if (!answer_ildcp(incoming, *prepare, now)) {
    forward(incoming, *prepare, now);
  }
}

// What can be said before it is known where the packet goes.
Forwarder::Refusal Forwarder::admit(Account& account, const wire::Prepare& prepare,
                                    const Now& now) {
  if (account.bucket && !account.bucket->take(now.steady)) {
    return {"T05", "over the account's packet rate"};
  }
  if (refuse_new_) return {"T03", "the connector is being replaced, send again"};
  if (ledger_fails_) return {"T00", "the connector cannot keep its ledger now, send again later"};
  if (account.in_flight >= account.config->maximum_in_flight || pending_.full()) {
    return {"T03", "too many packets in flight"};
  }
  if (prepare.amount > account.config->maximum_packet_amount) {
    return {"F08", "amount over the account's maximum", account.config->maximum_packet_amount};
  }
  if (prepare.expires_at - config_.expiry_margin <= now.wall) {
    return {"R02", "expires too soon to pass on"};
  }
  return {};
}

bool Forwarder::answer_ildcp(Incoming& incoming, const wire::Prepare& prepare, const Now& now) {
  if (prepare.destination != ildcp_destination) return false;
  Account& account = accounts_[incoming.from];
  if (prepare.amount != 0) {
    refuse(incoming, {"F03", "peer.config takes no money"}, 0, now);
    return true;
  }
  if (!std::equal(prepare.condition.begin(), prepare.condition.end(), ildcp_condition_.begin())) {
    refuse(incoming, {"F05", "not the condition of peer.config"}, 0, now);
    return true;
  }
  std::vector<std::uint8_t> data(wire::max_address + 512);
  std::uint8_t* at = wire::oer::put_var(data.data(), wire::oer::as_bytes(account.config->address));
  at = wire::oer::put_u8(at, account.config->asset_scale);
  at = wire::oer::put_var(at, wire::oer::as_bytes(account.config->asset_code));
  data.resize(static_cast<std::size_t>(at - data.data()));
  scratch_.clear();
  wire::encode(wire::Fulfill{zeros, data}, scratch_);
  ++account.incoming[fulfilled_outcome];
  if (Link* link = links_.find(incoming.origin)) link->send_reply(incoming.request_id, scratch_);
  return true;
}

void Forwarder::forward(Incoming& incoming, const wire::Prepare& prepare, const Now& now) {
  Refusal refusal = choose(incoming, prepare, now);
  if (!refusal) refusal = hold(incoming, prepare);
  if (refusal) {
    refuse(incoming, refusal, prepare.amount, now);
    return;
  }
  incoming.expires_at =
      std::min(prepare.expires_at - config_.expiry_margin, now.wall + config_.limits.maximum_hold);
  const auto deadline = now.steady + (incoming.expires_at - now.wall);
  // With no link yet it waits for one, and is refused where none comes.
  const LinkId out_link = accounts_[incoming.to].link;
  Link* const link = links_.find(out_link);
  Pending pending{.amount_in = prepare.amount,
                  .amount_out = incoming.amount_out,
                  .started = now.steady,
                  .deadline = link != nullptr
                                  ? deadline
                                  : std::min(deadline, now.steady + WaitingRoom::longest),
                  .origin = incoming.origin,
                  .origin_request = incoming.request_id,
                  .from = incoming.from,
                  .to = incoming.to,
                  .out_link = link != nullptr ? out_link : LinkId{}};
  std::copy(prepare.condition.begin(), prepare.condition.end(), pending.condition.begin());
  const std::uint32_t id = pending_.add(pending);
  ++accounts_[incoming.from].in_flight;
  ++accounts_[incoming.to].owed;
  accounts_[incoming.to].last_paid = now.steady;
  if (link != nullptr) {
    link->send_prepare(id, incoming.packet, incoming.amount_out, incoming.expires_at);
  } else {
    waiting_room_.add(
        incoming.to,
        {id, deadline, incoming.expires_at, {incoming.packet.begin(), incoming.packet.end()}});
  }
}

// Where it goes and as how much, if it can go there now.
Forwarder::Refusal Forwarder::choose(Incoming& incoming, const wire::Prepare& prepare,
                                     const Now& now) {
  if (prepare.destination.starts_with("peer.")) return {"F02", "peer addresses are not forwarded"};
  const auto to = routes_.find(prepare.destination);
  if (!to) return {"F02", "no route to the destination"};
  if (*to == incoming.from) return {"F02", "the route leads back to the sender"};
  incoming.to = *to;
  const Link* link = links_.find(accounts_[*to].link);
  const bool may_wait = waiting_room_.admits(*to, incoming.packet.size(), now.steady);
  if (link == nullptr && !may_wait) return {"T01", "the peer is not connected"};
  if (link != nullptr && link->congested()) return {"T02", "the peer takes packets too slowly"};
  const Ratio* rate = ratio(incoming.from, *to);
  if (rate == nullptr) return {"F02", "no exchange rate to the peer's asset"};
  const auto amount_out = convert(prepare.amount, *rate);
  if (!amount_out) return {"F08", "amount too large to convert", largest_convertible(*rate)};
  if (*amount_out == 0 && prepare.amount != 0) return {"R01", "amount too small to convert"};
  incoming.amount_out = *amount_out;
  return {};
}

Forwarder::Refusal Forwarder::hold(Incoming& incoming, const wire::Prepare& prepare) {
  Balance& from = accounts_[incoming.from].balance;
  if (!from.hold_debit(prepare.amount)) {
    short_ = true;
    return {"T04", "below the sender's minimum balance"};
  }
  if (!accounts_[incoming.to].balance.hold_credit(incoming.amount_out)) {
    short_ = true;
    from.release_debit(prepare.amount);
    return {"T04", "over the receiver's maximum balance"};
  }
  return {};
}

wire::Bytes Forwarder::encode_reject(const Refusal& refusal, std::uint64_t amount) {
  std::array<std::uint8_t, 16> amounts;
  wire::oer::put_u64(wire::oer::put_u64(amounts.data(), amount), refusal.maximum_amount);
  const bool amount_too_large = refusal.code == "F08";
  scratch_.clear();
  wire::encode(wire::Reject{refusal.code, config_.address, refusal.message,
                            amount_too_large ? wire::Bytes(amounts) : wire::Bytes()},
               scratch_);
  return scratch_;
}

void Forwarder::refuse(const Incoming& incoming, const Refusal& refusal, std::uint64_t amount,
                       const Now& now) {
  const std::size_t outcome = outcome_of(refusal.code);
  ++accounts_[incoming.from].incoming[outcome];
  if (!incoming.condition.empty() && sample_.draws(incoming.condition)) {
    PacketTrace trace{.condition = {},
                      .from = incoming.from,
                      .to = {},
                      .outcome = outcome,
                      .began = now.steady,
                      .ended = now.steady};
    std::copy(incoming.condition.begin(), incoming.condition.end(), trace.condition.begin());
    sample_.add(trace);
  }
  if (Link* link = links_.find(incoming.origin)) {
    link->send_reply(incoming.request_id, encode_reject(refusal, amount));
  }
}

Pending* Forwarder::find_pending(LinkId link, std::uint32_t request_id) {
  Pending* pending = pending_.find(request_id);
  if (pending != nullptr && pending->out_link == link && !pending->fulfilled) return pending;
  ++late_replies_;
  return nullptr;
}

void Forwarder::handle_failure(LinkId link, std::uint32_t request_id, std::string_view code,
                               std::string_view message, const Now& now) {
  if (Pending* pending = find_pending(link, request_id)) {
    fail(request_id, *pending, code, message, now);
  }
}

void Forwarder::handle_reply(LinkId link, std::uint32_t request_id, wire::Bytes packet,
                             const Now& now) {
  Pending* pending = find_pending(link, request_id);
  if (pending == nullptr) return;
  // In time or not is decided here and not by when the timer runs.
  if (pending->deadline <= now.steady) {
    fail(request_id, *pending, "R00", "the peer did not answer in time", now);
    return;
  }
  const auto decoded = wire::decode_packet(packet);
  if (!decoded || std::holds_alternative<wire::Prepare>(*decoded)) {
    fail(request_id, *pending, "T00", "the peer's answer was not an ILP Fulfill or Reject", now);
    return;
  }
  packet = wire::trim_packet(packet);
  if (const auto* fulfill = std::get_if<wire::Fulfill>(&*decoded)) {
    settle(request_id, *pending, *fulfill, packet, now);
  } else {
    release(request_id, *pending, std::get<wire::Reject>(*decoded).code, packet, now);
  }
}

void Forwarder::settle(std::uint32_t id, Pending& pending, const wire::Fulfill& fulfill,
                       wire::Bytes packet, const Now& now) {
  if (sha256_.digest(fulfill.fulfillment) != pending.condition) {
    fail(id, pending, "F05", "the fulfilment does not match the condition", now);
    return;
  }
  accounts_[pending.from].balance.commit_debit(pending.amount_in);
  accounts_[pending.to].balance.commit_credit(pending.amount_out);
  record_transfer(pending);
  if (!progress_.committed(now.steady)) {
    finish(id, pending, fulfilled_outcome, packet, now);
    return;
  }
  pending.fulfilled = true;
  waiting_.push_back({progress_.open(), id, {packet.begin(), packet.end()}});
}

void Forwarder::mark_changed(AccountIndex account) {
  if (!std::exchange(accounts_[account].changed, true)) changed_.push_back(account);
}

void Forwarder::record_transfer(const Pending& pending) {
  mark_changed(pending.from);
  mark_changed(pending.to);
  const Account& from = accounts_[pending.from];
  const Account& to = accounts_[pending.to];
  if (from.asset == to.asset && pending.amount_in == pending.amount_out) return;
  positions_[asset_of(*from.config)] += pending.amount_in;
  positions_[asset_of(*to.config)] -= pending.amount_out;
}

std::vector<AccountIndex> Forwarder::take_changed() {
  for (const AccountIndex account : changed_) accounts_[account].changed = false;
  return std::exchange(changed_, {});
}

void Forwarder::release_fulfills(const Now& now) {
  while (!waiting_.empty() && waiting_.front().batch <= progress_.durable()) {
    const Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    finish(waiting.id, *pending_.find(waiting.id), fulfilled_outcome, waiting.packet, now);
  }
}

std::size_t Forwarder::abandon_fulfills() {
  for (const Waiting& waiting : waiting_) {
    const Pending& pending = *pending_.find(waiting.id);
    --accounts_[pending.from].in_flight;
    --accounts_[pending.to].owed;
    pending_.remove(waiting.id);
  }
  return std::exchange(waiting_, {}).size();
}

void Forwarder::fail(std::uint32_t id, Pending& pending, std::string_view code,
                     std::string_view message, const Now& now) {
  release(id, pending, code, encode_reject({code, message}, pending.amount_in), now);
}

void Forwarder::release(std::uint32_t id, Pending& pending, std::string_view code,
                        wire::Bytes packet, const Now& now) {
  accounts_[pending.from].balance.release_debit(pending.amount_in);
  accounts_[pending.to].balance.release_credit(pending.amount_out);
  finish(id, pending, outcome_of(code), packet, now);
}

void Forwarder::finish(std::uint32_t id, Pending& pending, std::size_t outcome, wire::Bytes packet,
                       const Now& now) {
  Account& from = accounts_[pending.from];
  --from.in_flight;
  ++from.incoming[outcome];
  from.duration.record(now.steady - pending.started);
  ++accounts_[pending.to].outgoing[outcome];
  --accounts_[pending.to].owed;
  if (sample_.draws(pending.condition)) {
    sample_.add({.condition = pending.condition,
                 .from = pending.from,
                 .to = pending.to,
                 .outcome = outcome,
                 .began = pending.started,
                 .ended = now.steady});
  }
  if (Link* link = links_.find(pending.origin)) link->send_reply(pending.origin_request, packet);
  pending_.remove(id);
}

const Ratio* Forwarder::ratio(AccountIndex from, AccountIndex to) {
  static constexpr Ratio one{};
  const AccountConfig& a = *accounts_[from].config;
  const AccountConfig& b = *accounts_[to].config;
  if (a.asset_scale == b.asset_scale && a.asset_code == b.asset_code) return &one;
  const std::uint64_t key = std::uint64_t{from} << 32 | to;
  auto found = ratios_.find(key);
  if (found == ratios_.end()) {
    found = ratios_.emplace(key, exchange_ratio(a, b).value_or(Ratio{0, 0})).first;
  }
  return found->second.denominator == 0 ? nullptr : &found->second;
}

}  // namespace slipway::connector
