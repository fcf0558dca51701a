#include "connector/bookkeeper.hpp"

#include "base/build_info.hpp"

#include <algorithm>
#include <thread>

#include <boost/asio/post.hpp>
#include <fmt/core.h>

namespace slipway::connector {

using namespace std::chrono_literals;

namespace {

// How often to look for what others have changed while there is nothing to write, whether one of
// them has ended, and to ask them for room when there was none.
constexpr auto look_interval = 50ms;
constexpr auto settlement_interval = 1s;
constexpr auto plea_interval = 100ms;
constexpr auto retry_interval = 200ms;

}  // namespace

std::vector<ledger::AccountSpec> account_specs(const Config& config) {
  std::vector<ledger::AccountSpec> specs;
  for (const AccountConfig& account : config.accounts) {
    specs.push_back({account.id,
                     {account.asset_code, account.asset_scale},
                     account.minimum_balance,
                     account.maximum_balance});
  }
  return specs;
}

std::unique_ptr<ledger::Database> open_ledger(const Config& config) {
  if (config.ledger.policy.durability == ledger::Durability::none) return nullptr;
  return ledger::open_database(config.ledger.store, false).value();
}

Bookkeeper::Bookkeeper(boost::asio::io_context& io, const Config& config, Forwarder& forwarder,
                       Log& log, std::function<void()> progressed,
                       std::unique_ptr<ledger::Database> database)
    : io_(io),
      forwarder_(forwarder),
      log_(log),
      progressed_(std::move(progressed)),
      store_(config.ledger.store),
      accounts_(account_specs(config)),
      timer_(io),
      others_(accounts_.size()),
      durable_parts_(accounts_.size()) {
  if (!database) return;
  auto store = std::make_unique<ledger::Store>(
      std::move(database),
      ledger::Store::Options{.accounts = accounts_, .version = std::string(build_info().version)});
  worker_ = std::make_unique<ledger::Worker>(
      std::move(store), [this] { boost::asio::post(io_, [this] { collect(); }); });
}

Bookkeeper::~Bookkeeper() = default;

void Bookkeeper::start(std::chrono::milliseconds at_most) {
  if (!worker_) return;
  forwarder_.refuse_for_ledger(true);
  begin(ledger::Worker::Open{wants_room_}, std::chrono::steady_clock::now());
  worker_->wait(at_most);
  collect();
}

std::string Bookkeeper::failure() const {
  return worker_ ? failure_ : std::string();
}

std::chrono::nanoseconds Bookkeeper::lag() const {
  return forwarder_.progress().lag(std::chrono::steady_clock::now());
}

// Does what is due, or sees to it that it will be done in time.
void Bookkeeper::schedule() {
  const TimePoint now = std::chrono::steady_clock::now();
  if (worker_->is_busy()) {
    const auto& stall = forwarder_.progress().policy().stall;
    if (now - job_begun_ < stall) {
      arm(job_begun_ + stall);
    } else {
      refuse(fmt::format("the ledger has not answered for {} ms", stall.count()));
    }
    return;
  }
  const auto due = forwarder_.progress().due();
  TimePoint next = opened_ && due ? std::min(next_look_, *due) : next_look_;
  if (must_write_ && opened_) next = now;
  if (next <= now) {
    work(now);
  } else {
    arm(next);
  }
}

void Bookkeeper::arm(TimePoint when) {
  if (wake_ && *wake_ <= when) return;
  wake_ = when;
  timer_.expires_at(when);
  timer_.async_wait([this](boost::system::error_code failed) {
    if (failed) return;
    wake_.reset();
    schedule();
  });
}

void Bookkeeper::begin(ledger::Worker::Job job, TimePoint now) {
  job_begun_ = now;
  worker_->start(std::move(job));
  schedule();
}

void Bookkeeper::work(TimePoint now) {
  next_look_ = now + look_interval;
  if (!opened_) {
    begin(ledger::Worker::Open{wants_room_}, now);
    return;
  }
  if (under_way_) {
    // It failed, and may be written all the same. Were it another one now, whoever takes us for
    // dead could have counted this one, and nobody would know what of it is theirs.
    forwarder_.progress().hand_over_again(now);
    begin(*under_way_, now);
    return;
  }
  if (forwarder_.take_short() && wants_room_ && figures_.instances > 0 && now >= next_plea_) {
    // Others look when they see that something has changed, and give what they can spare.
    next_plea_ = now + plea_interval;
    share_due_ = must_write_ = shares_changed_ = true;
  }
  const auto due = forwarder_.progress().due();
  if (must_write_ || (due && *due <= now)) {
    under_way_ = make_batch(now);
    begin(*under_way_, now);
    return;
  }
  const bool settle = now >= next_settlement_;
  if (settle) next_settlement_ = now + settlement_interval;
  begin(ledger::Worker::Look{settle}, now);
}

ledger::Batch Bookkeeper::make_batch(TimePoint now) {
  ledger::Batch batch;
  if (std::exchange(share_due_, false)) share(batch);
  std::vector<bool> asking(accounts_.size());
  for (const ledger::PartChange& change : batch.parts) asking[change.account] = true;
  for (const AccountIndex account : forwarder_.take_changed()) {
    if (!asking[account]) {
      batch.parts.push_back({account, forwarder_.balance(account).part(), {}});
    }
  }
  for (const auto& [asset, units] : forwarder_.positions()) {
    const auto durable = durable_positions_.find(asset);
    if (durable == durable_positions_.end() || durable->second != units) {
      batch.positions.push_back({ledger::settled_part, asset, units});
    }
  }
  batch.number = ++batches_;
  batch.wants_room = wants_room_;
  batch.shares_changed = std::exchange(shares_changed_, false);
  must_write_ = false;
  forwarder_.progress().hand_over(now);
  return batch;
}

// Gives what others should have and asks for what we should.
void Bookkeeper::share(ledger::Batch& batch) {
  for (AccountIndex i = 0; i < accounts_.size(); ++i) {
    Balance& balance = forwarder_.balance(i);
    const ledger::Own own{balance.part(), balance.held_debit(), balance.held_credit(), wants_room_};
    const ledger::Change change = ledger::rebalance(accounts_[i], own, others_[i]);
    if (!change.any()) continue;
    balance.set_limits(own.part.floor + change.give_below, own.part.ceiling - change.give_above);
    batch.parts.push_back({i, balance.part(), change});
    shares_changed_ = true;
  }
}

void Bookkeeper::collect() {
  const auto done = worker_->take();
  if (!done) return;
  const TimePoint now = std::chrono::steady_clock::now();
  hear(*done, now);
  forwarder_.release_fulfills(Now::read());
  check_shared(now);
  progressed_();
  schedule();
}

void Bookkeeper::hear(const ledger::Worker::Done& done, TimePoint now) {
  if (const auto* error = std::get_if<Error>(&done)) {
    failed(*error, now);
  } else if (const auto* open = std::get_if<ledger::Opened>(&done)) {
    opened(*open);
  } else if (const auto* some = std::get_if<ledger::Written>(&done)) {
    written(*some, now);
  }
}

void Bookkeeper::opened(const ledger::Opened& opened) {
  opened_ = true;
  batches_ = 0;
  durable_parts_.assign(accounts_.size(), 0);
  durable_positions_.clear();
  take_view(opened.view);
  for (AccountIndex i = 0; i < accounts_.size(); ++i) {
    Balance& balance = forwarder_.balance(i);
    balance.set_limits(opened.parts[i].floor, opened.parts[i].ceiling);
    // After having been taken for dead there may be some already.
    if (balance.part() != opened.parts[i]) forwarder_.mark_changed(i);
  }
  must_write_ = true;
  works();
}

void Bookkeeper::written(const ledger::Written& written, TimePoint now) {
  if (written.settled_at) {
    taken_for_dead(*written.settled_at, now);
    return;
  }
  if (under_way_) {
    batch_is_durable();
    forwarder_.progress().succeeded(now);
    figures_.batches.record(forwarder_.progress().last_took());
  }
  for (const auto& [account, part] : written.granted) {
    forwarder_.balance(static_cast<AccountIndex>(account)).set_limits(part.floor, part.ceiling);
  }
  if (written.looked) take_view(written.view);
  works();
}

void Bookkeeper::batch_is_durable() {
  for (const ledger::PartChange& change : under_way_->parts) {
    durable_parts_[change.account] = change.part.balance;
  }
  for (const ledger::PositionRow& row : under_way_->positions) {
    durable_positions_[row.asset] = row.units;
  }
  under_way_.reset();
}

// What others have counted of our parts is theirs now; the rest begins a new instance.
void Bookkeeper::taken_for_dead(std::int64_t last_counted, TimePoint now) {
  if (last_counted >= under_way_->number) {
    batch_is_durable();
    forwarder_.progress().succeeded(now);
  } else {
    for (const ledger::PartChange& change : under_way_->parts) {
      forwarder_.mark_changed(static_cast<AccountIndex>(change.account));
    }
    forwarder_.progress().failed(now);
    under_way_.reset();
  }
  for (AccountIndex i = 0; i < accounts_.size(); ++i) {
    forwarder_.balance(i).hand_over(durable_parts_[i]);
  }
  for (const auto& [asset, units] : durable_positions_) forwarder_.positions()[asset] -= units;
  opened_ = false;
  failed({ErrorKind::busy, "another connector took this one for dead; it begins anew", {}}, now);
}

void Bookkeeper::failed(const Error& error, TimePoint now) {
  if (under_way_) {
    must_write_ = false;  // after the pause
    forwarder_.progress().failed(now);
  }
  share_due_ = true;
  next_look_ = now + retry_interval;
  refuse(error.text());
}

void Bookkeeper::refuse(const std::string& why) {
  ++figures_.failures;
  failure_ = why;
  forwarder_.refuse_for_ledger(true);
  log_.write_limited(LogLevel::error, "ledger_failed", failure_,
                     {{"store", ledger::without_password(store_)}, {"reason", failure_}});
}

void Bookkeeper::works() {
  if (failure_.empty()) return;
  failure_.clear();
  must_write_ = true;  // what could not be written meanwhile
  forwarder_.refuse_for_ledger(false);
  const ledger::Policy& policy = forwarder_.progress().policy();
  log_.write(LogLevel::info, "ledger_works",
             {{"store", ledger::without_password(store_)},
              {"durability", ledger::to_string(policy.durability)},
              {"atRiskMs", policy.durability == ledger::Durability::sync
                               ? std::int64_t{0}
                               : std::int64_t{policy.at_risk.count()}},
              {"others", std::int64_t{figures_.instances}}});
}

void Bookkeeper::take_view(const ledger::View& view) {
  others_ = view.others;
  figures_.instances = view.instances;
  for (AccountIndex i = 0; i < accounts_.size(); ++i) {
    forwarder_.balance(i).set_others(others_[i].balance);
  }
  share_due_ = true;
  must_write_ = true;
}

void Bookkeeper::want_room(bool wanted) {
  if (!worker_ || wants_room_ == wanted) return;
  wants_room_ = wanted;
  share_due_ = must_write_ = shares_changed_ = true;
  schedule();
}

bool Bookkeeper::has_share() const {
  if (!worker_) return true;
  for (AccountIndex i = 0; i < accounts_.size(); ++i) {
    const Balance& balance = forwarder_.accounts()[i].balance;
    const ledger::Own own{balance.part(), balance.held_debit(), balance.held_credit(), true};
    if (!ledger::has_share(accounts_[i], own, others_[i])) return false;
  }
  return true;
}

void Bookkeeper::when_shared(std::chrono::milliseconds at_most, std::function<void()> call) {
  when_shared_ = std::move(call);
  const TimePoint now = std::chrono::steady_clock::now();
  shared_deadline_ = now + at_most;
  check_shared(now);
}

void Bookkeeper::check_shared(TimePoint now) {
  if (when_shared_ && (has_share() || now >= shared_deadline_)) {
    std::exchange(when_shared_, nullptr)();
  }
}

bool Bookkeeper::close(std::chrono::milliseconds at_most) {
  if (!worker_) return true;
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  wants_room_ = false;
  bool closing = false;
  for (;;) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (!worker_->is_busy()) {
      if (!opened_ && !forwarder_.has_changed()) return true;
      closing = opened_ && (closing || !under_way_);
      if (opened_ && under_way_) forwarder_.progress().hand_over_again(now);
      if (closing && !under_way_) under_way_ = make_batch(now);
      worker_->start(last_job(closing));
    }
    worker_->wait(std::chrono::ceil<std::chrono::milliseconds>(
        std::max<std::chrono::nanoseconds>(deadline - now, std::chrono::nanoseconds(0))));
    const auto done = worker_->take();
    if (!done) return false;
    if (std::holds_alternative<std::monostate>(*done)) return true;
    hear(*done, std::chrono::steady_clock::now());
    if (!std::holds_alternative<Error>(*done)) continue;
    if (std::chrono::steady_clock::now() + retry_interval > deadline) return false;
    std::this_thread::sleep_for(retry_interval);
  }
}

// What is to be done before the ledger can be left: it may be another one's word that we are dead,
// and what is under way is still to become durable, as it is.
ledger::Worker::Job Bookkeeper::last_job(bool closing) const {
  if (!opened_) return ledger::Worker::Open{wants_room_};
  if (closing) return ledger::Worker::Close{*under_way_};
  return *under_way_;
}

}  // namespace slipway::connector
