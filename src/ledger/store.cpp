#include "ledger/store.hpp"

#include "base/random.hpp"
#include "base/units.hpp"
#include "ledger/reading.hpp"

#include <chrono>

namespace slipway::ledger {
namespace {

using Access = Database::Access;

// Epochs for which a settled instance is remembered: whoever was taken for dead learns it from
// that.
constexpr std::int64_t remembered_epochs = 10'000;

constexpr const char* put_part =
    "UPDATE ledger_parts SET balance = $1, floor = $2, ceiling = $3 "
    "WHERE instance = $4 AND account = $5";
constexpr const char* put_position =
    "INSERT INTO ledger_positions (instance, asset, scale, units) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (instance, asset, scale) DO UPDATE SET units = excluded.units";
constexpr const char* put_new_part =
    "INSERT INTO ledger_parts (instance, account, asset, scale, balance, floor, ceiling) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (instance, account) DO UPDATE SET "
    "balance = excluded.balance, floor = excluded.floor, ceiling = excluded.ceiling";

Values new_part(InstanceId instance, const std::string& account, const Asset& asset,
                const Part& part) {
  return {instance,     account,    asset.code,  std::int64_t{asset.scale},
          part.balance, part.floor, part.ceiling};
}

InstanceId random_instance() {
  // Positive, and not the 0 of the settled parts.
  return static_cast<InstanceId>(random_seed() >> 2 | 1);
}

Result<void> check_assets(const Books& books, const std::vector<AccountSpec>& accounts) {
  const std::vector<Total> totals = totals_of(books);
  for (const AccountSpec& account : accounts) {
    for (const Total& total : totals) {
      if (total.account != account.id || total.asset == account.asset) continue;
      return Error{ErrorKind::usage,
                   "account " + account.id + " is in " + to_string(total.asset) +
                       " in the ledger, and configured in " + to_string(account.asset),
                   "give the account in the other asset another id"};
    }
  }
  return {};
}

}  // namespace

Store::Store(std::unique_ptr<Database> database, Options options)
    : database_(std::move(database)), options_(std::move(options)) {}

template <typename Work>
auto Store::in_transaction(Access access, Work work) -> decltype(work()) {
  const auto lost = [this](const Error& error) {
    // A connection that fails once is not asked again; of a damaged file somebody may have put a
    // copy in its place.
    if (error.kind == ErrorKind::unreachable || error.kind == ErrorKind::failed ||
        error.kind == ErrorKind::corrupt) {
      connected_ = false;
    }
    return error;
  };
  if (!connected_) {
    if (const auto connected = database_->connect(); !connected) return connected.error();
    connected_ = true;
  }
  if (const auto begun = database_->begin(access); !begun) return lost(begun.error());
  seen_ = epoch_;
  // Also where a damaged ledger makes something throw.
  struct RollBack {
    explicit RollBack(Database& begun) : database(&begun) {}
    ~RollBack() {
      if (database != nullptr) database->roll_back();
    }
    Database* database;
  } roll_back(*database_);
  auto done = work();
  if (!done) return lost(done.error());
  roll_back.database = nullptr;
  if (const auto committed = database_->commit(); !committed) return lost(committed.error());
  epoch_ = seen_;
  return done;
}

Result<Opened> Store::open(bool wants_room) {
  // One that was begun before, and of which it is not known whether it was written, is begun again.
  if (own_ == settled_part) own_ = random_instance();
  return in_transaction(Access::whole, [&] { return begin_instance(wants_room); });
}

Result<Opened> Store::begin_instance(bool wants_room) {
  const auto live = others_live();
  if (!live) return live.error();
  if (const auto done = migrate(*database_, *options_.known, *live); !done) return done.error();
  if (const auto claimed = database_->claim(own_); !claimed) return claimed.error();
  for (const char* forget : {"DELETE FROM ledger_parts WHERE instance = $1",
                             "DELETE FROM ledger_instances WHERE id = $1"}) {
    if (const auto done = database_->change(forget, {own_}); !done) return done.error();
  }
  const auto dead = ended();
  if (!dead) return dead.error();
  if (const auto done = settle_them(*dead); !done) return done.error();
  const auto books = read_within(*database_, *options_.known);
  if (!books) return books.error();
  if (const auto fit = check_assets(*books, options_.accounts); !fit) return fit.error();
  Opened opened;
  opened.view.others = sum_of_others(*books, options_.accounts, own_);
  for (const Instance& instance : books->instances) opened.view.instances += instance.settled == 0;
  for (std::size_t i = 0; i < options_.accounts.size(); ++i) {
    const Own own{.wants_room = wants_room};
    const Others& others = opened.view.others[i];
    opened.parts.push_back(
        take(options_.accounts[i], own.part, others, rebalance(options_.accounts[i], own, others)));
  }
  if (const auto done = put_instance(wants_room, opened.parts); !done) return done.error();
  const auto epoch = next_epoch();
  if (!epoch) return epoch.error();
  seen_ = *epoch;
  return opened;
}

Result<bool> Store::others_live() {
  const auto schema = read_schema(*database_, *options_.known);
  if (!schema) return schema.error();
  if (*schema == 0) return false;
  const auto rows = database_->query("SELECT id FROM ledger_instances WHERE settled = 0", {});
  if (!rows) return rows.error();
  for (const Values& row : *rows) {
    const auto id = std::get<std::int64_t>(row[0]);
    if (id == own_) continue;
    const auto claimed = database_->is_claimed(id);
    if (!claimed) return claimed.error();
    if (*claimed) return true;
  }
  return false;
}

Result<void> Store::put_instance(bool wants_room, const std::vector<Part>& parts) {
  const auto made = database_->change(
      "INSERT INTO ledger_instances (id, started, version, wants_room, written, settled) "
      "VALUES ($1, $2, $3, $4, 0, 0)",
      {own_, format_utc(std::chrono::system_clock::now()), options_.version,
       std::int64_t{wants_room}});
  if (!made) return made.error();
  std::vector<Values> rows;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    rows.push_back(new_part(own_, options_.accounts[i].id, options_.accounts[i].asset, parts[i]));
  }
  return database_->change_each(put_new_part, rows);
}

Result<Written> Store::write(const Batch& batch) {
  bool asks = false;
  for (const PartChange& change : batch.parts) asks |= change.asked.any();
  auto written =
      in_transaction(asks ? Access::whole : Access::own, [&] { return write_all(batch); });
  // Not sooner: were we told of it in vain, we would ask for somebody else the next time.
  if (written && written->settled_at) own_ = settled_part;
  return written;
}

Result<Written> Store::write_all(const Batch& batch) {
  const auto live = database_->change(
      "UPDATE ledger_instances SET written = $1, wants_room = $2 WHERE id = $3 AND settled = 0",
      {batch.number, std::int64_t{batch.wants_room}, own_});
  if (!live) return live.error();
  if (*live == 0) return explain_settled();
  Written written;
  if (const auto done = put(batch); !done) return done.error();
  if (const auto done = grant(batch, written); !done) return done.error();
  if (const auto done = see(written); !done) return done.error();
  if (batch.shares_changed) {
    const auto epoch = next_epoch();
    if (!epoch) return epoch.error();
    seen_ = *epoch;
  }
  return written;
}

Result<Written> Store::explain_settled() {
  const auto rows = database_->query("SELECT written FROM ledger_instances WHERE id = $1", {own_});
  if (!rows) return rows.error();
  if (rows->empty()) {
    return Error{ErrorKind::corrupt, "the ledger does not know this connector: it was replaced",
                 "restart the connector"};
  }
  Written written;
  written.settled_at = std::get<std::int64_t>(rows->at(0).at(0));
  return written;
}

Result<void> Store::put(const Batch& batch) {
  std::vector<Values> parts;
  for (const PartChange& change : batch.parts) {
    parts.push_back({change.part.balance, change.part.floor, change.part.ceiling, own_,
                     options_.accounts[change.account].id});
  }
  if (const auto done = database_->change_each(put_part, parts); !done) return done.error();
  std::vector<Values> positions;
  for (const PositionRow& row : batch.positions) {
    positions.push_back(
        {own_, row.asset.code, std::int64_t{row.asset.scale}, to_decimal(row.units)});
  }
  return database_->change_each(put_position, positions);
}

// What nobody has, to those that ask. Others cannot do the same meanwhile.
Result<void> Store::grant(const Batch& batch, Written& written) {
  std::vector<const PartChange*> asking;
  for (const PartChange& change : batch.parts) {
    if (change.asked.any()) asking.push_back(&change);
  }
  if (asking.empty()) return {};
  const auto books = read_within(*database_, *options_.known);
  if (!books) return books.error();
  const auto others = sum_of_others(*books, options_.accounts, own_);
  std::vector<Values> rows;
  for (const PartChange* change : asking) {
    const AccountSpec& account = options_.accounts[change->account];
    const Part part = take(account, change->part, others[change->account], change->asked);
    rows.push_back({part.balance, part.floor, part.ceiling, own_, account.id});
    written.granted.emplace_back(change->account, part);
  }
  return database_->change_each(put_part, rows);
}

Result<void> Store::see(Written& written) {
  const auto epoch = read_epoch(*database_);
  if (!epoch) return epoch.error();
  if (*epoch == epoch_) return {};
  const auto books = read_within(*database_, *options_.known);
  if (!books) return books.error();
  View& view = written.view;
  written.looked = true;
  view.others = sum_of_others(*books, options_.accounts, own_);
  for (const Instance& instance : books->instances) {
    view.instances += instance.settled == 0 && instance.id != own_;
  }
  seen_ = *epoch;
  return {};
}

Result<Written> Store::look(bool settle_ended) {
  if (settle_ended) {
    const auto dead = in_transaction(Access::read, [&] { return ended(); });
    if (!dead) return dead.error();
    if (!dead->empty()) {
      const auto done = in_transaction(Access::whole, [&]() -> Result<void> {
        // Once more, now that nobody else can do it.
        const auto still = ended();
        if (!still) return still.error();
        if (const auto settled = settle_them(*still); !settled) return settled.error();
        const auto epoch = next_epoch();
        if (!epoch) return epoch.error();
        return {};
      });
      if (!done) return done.error();
    }
  }
  return in_transaction(Access::read, [&]() -> Result<Written> {
    Written written;
    if (const auto done = see(written); !done) return done.error();
    return written;
  });
}

Result<std::vector<InstanceId>> Store::ended() {
  const auto rows = database_->query("SELECT id FROM ledger_instances WHERE settled = 0", {});
  if (!rows) return rows.error();
  std::vector<InstanceId> found;
  for (const Values& row : *rows) {
    const auto id = std::get<std::int64_t>(row[0]);
    const auto claimed = database_->is_claimed(id);
    if (!claimed) return claimed.error();
    if (!*claimed) found.push_back(id);
  }
  return found;
}

Result<void> Store::settle_them(const std::vector<InstanceId>& instances) {
  if (instances.empty()) return {};
  // First the mark, which an instance that was wrongly taken for dead waits for and then sees: so
  // what is read after it is all that it has written.
  for (const InstanceId instance : instances) {
    const auto marked = database_->change(
        "UPDATE ledger_instances SET wants_room = 0, settled = (SELECT epoch + 1 FROM "
        "ledger_state) WHERE id = $1",
        {instance});
    if (!marked) return marked.error();
  }
  const auto books = read_within(*database_, *options_.known);
  if (!books) return books.error();
  const auto settlement = settle(*books, instances);
  if (!settlement) return settlement.error();
  if (const auto done = put_settled(*settlement); !done) return done.error();
  for (const InstanceId instance : instances) {
    for (const char* forget : {"DELETE FROM ledger_parts WHERE instance = $1",
                               "DELETE FROM ledger_positions WHERE instance = $1"}) {
      if (const auto done = database_->change(forget, {instance}); !done) return done.error();
    }
  }
  const auto pruned = database_->change(
      "DELETE FROM ledger_instances WHERE settled > 0 AND settled < (SELECT epoch FROM "
      "ledger_state) - $1",
      {remembered_epochs});
  if (!pruned) return pruned.error();
  return {};
}

Result<void> Store::put_settled(const Settlement& settlement) {
  std::vector<Values> parts;
  for (const PartRow& row : settlement.parts) {
    parts.push_back(new_part(settled_part, row.account, row.asset, row.part));
  }
  if (const auto done = database_->change_each(put_new_part, parts); !done) return done.error();
  std::vector<Values> positions;
  for (const PositionRow& row : settlement.positions) {
    positions.push_back(
        {settled_part, row.asset.code, std::int64_t{row.asset.scale}, to_decimal(row.units)});
  }
  return database_->change_each(put_position, positions);
}

Result<std::int64_t> Store::next_epoch() {
  const auto changed =
      database_->change("UPDATE ledger_state SET epoch = epoch + 1 WHERE id = 1", {});
  if (!changed) return changed.error();
  return read_epoch(*database_);
}

Result<Written> Store::close(const Batch& batch) {
  auto closed = in_transaction(Access::whole, [&]() -> Result<Written> {
    auto written = write_all(batch);
    if (!written) return written.error();
    if (written->settled_at) {
      // By ourselves, when we did not learn of it, or by others after it.
      if (*written->settled_at >= batch.number) written->settled_at.reset();
      return written;
    }
    if (const auto settled = settle_them({own_}); !settled) return settled.error();
    const auto epoch = next_epoch();
    if (!epoch) return epoch.error();
    return written;
  });
  if (closed) own_ = settled_part;
  return closed;
}

}  // namespace slipway::ledger
