#include "ledger/schema.hpp"

#include <fmt/core.h>

namespace slipway::ledger {
namespace {

Result<void> record(Database& database, const Migration& migration) {
  const auto changed = database.change(
      "UPDATE ledger_state SET schema_version = $1, oldest_reader = $2 WHERE id = 1",
      {std::int64_t{migration.schema}, std::int64_t{migration.oldest_reader}});
  if (!changed) return changed.error();
  return {};
}

}  // namespace

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> all{
      {.schema = 1,
       .oldest_reader = 1,
       .statements = {
           // Each is long, and cut where a line ends.
           // NOLINTNEXTLINE(bugprone-suspicious-missing-comma)
           "CREATE TABLE ledger_state (id BIGINT PRIMARY KEY CHECK (id = 1), schema_version BIGINT "
           "NOT NULL, oldest_reader BIGINT NOT NULL, epoch BIGINT NOT NULL)",
           "INSERT INTO ledger_state (id, schema_version, oldest_reader, epoch) VALUES (1, 0, 0, "
           "0)",
           "CREATE TABLE ledger_instances (id BIGINT PRIMARY KEY, started TEXT NOT NULL, version "
           "TEXT NOT NULL, wants_room BIGINT NOT NULL, written BIGINT NOT NULL, settled BIGINT NOT "
           "NULL)",
           "CREATE TABLE ledger_parts (instance BIGINT NOT NULL, account TEXT NOT NULL, asset TEXT "
           "NOT NULL, scale BIGINT NOT NULL, balance BIGINT NOT NULL, floor BIGINT NOT NULL, "
           "ceiling BIGINT NOT NULL, PRIMARY KEY (instance, account))",
           // 128 bits, in decimal.
           "CREATE TABLE ledger_positions (instance BIGINT NOT NULL, asset TEXT NOT NULL, scale "
           "BIGINT NOT NULL, units TEXT NOT NULL, PRIMARY KEY (instance, asset, scale))"}}};
  return all;
}

Result<int> read_schema(Database& database, const std::vector<Migration>& known) {
  const auto there = database.has_table("ledger_state");
  if (!there) return there.error();
  if (!*there) return 0;
  const auto rows = database.query("SELECT schema_version, oldest_reader FROM ledger_state", {});
  if (!rows) return rows.error();
  if (rows->size() != 1) {
    return Error{ErrorKind::corrupt, "the ledger does not say which form its tables have",
                 "bring it back from a copy"};
  }
  const auto schema = static_cast<int>(std::get<std::int64_t>(rows->at(0).at(0)));
  const auto oldest_reader = std::get<std::int64_t>(rows->at(0).at(1));
  if (oldest_reader > known.back().schema) {
    return Error{ErrorKind::usage,
                 fmt::format("the ledger has schema {}, which connectors of schema {} or newer can "
                             "use; this one's is {}",
                             schema, oldest_reader, known.back().schema),
                 "run the version that migrated it, or a newer one"};
  }
  return schema;
}

Result<void> migrate(Database& database, const std::vector<Migration>& known, bool others_live) {
  const auto schema = read_schema(database, known);
  if (!schema) return schema.error();
  for (const Migration& migration : known) {
    if (migration.schema <= *schema) continue;
    if (others_live && migration.oldest_reader > *schema) {
      return Error{ErrorKind::busy,
                   fmt::format("the ledger cannot go from schema {} to {} while a connector that "
                               "may know only the former uses it",
                               *schema, migration.schema),
                   "stop the older one first"};
    }
    for (const std::string& statement : migration.statements) {
      if (const auto done = database.change(statement, {}); !done) return done.error();
    }
    if (const auto recorded = record(database, migration); !recorded) return recorded.error();
  }
  return {};
}

}  // namespace slipway::ledger
