#include "ledger/reading.hpp"

namespace slipway::ledger {
namespace {

std::int64_t number(const Value& value) {
  return std::get<std::int64_t>(value);
}
const std::string& text(const Value& value) {
  return std::get<std::string>(value);
}

Result<void> read_instances(Database& database, Books& books) {
  const auto rows = database.query(
      "SELECT id, started, version, wants_room, written, settled FROM ledger_instances ORDER BY id",
      {});
  if (!rows) return rows.error();
  for (const Values& row : *rows) {
    Instance instance{.id = number(row[0]),
                      .started = text(row[1]),
                      .version = text(row[2]),
                      .wants_room = number(row[3]) != 0,
                      .written = number(row[4]),
                      .settled = number(row[5])};
    if (instance.settled == 0) {
      const auto alive = database.is_claimed(instance.id);
      if (!alive) return alive.error();
      instance.alive = *alive;
    }
    books.instances.push_back(std::move(instance));
  }
  return {};
}

Result<void> read_parts(Database& database, Books& books) {
  const auto rows = database.query(
      "SELECT instance, account, asset, scale, balance, floor, ceiling FROM ledger_parts "
      "ORDER BY account, instance",
      {});
  if (!rows) return rows.error();
  for (const Values& row : *rows) {
    books.parts.push_back({number(row[0]),
                           text(row[1]),
                           {text(row[2]), static_cast<int>(number(row[3]))},
                           {number(row[4]), number(row[5]), number(row[6])}});
  }
  return {};
}

Result<void> read_positions(Database& database, Books& books) {
  const auto rows = database.query(
      "SELECT instance, asset, scale, units FROM ledger_positions ORDER BY asset, scale, instance",
      {});
  if (!rows) return rows.error();
  for (const Values& row : *rows) {
    PositionRow position{number(row[0]), {text(row[1]), static_cast<int>(number(row[2]))}, 0};
    if (!parse_decimal(text(row[3]), position.units)) {
      return Error{ErrorKind::corrupt, "the ledger: '" + text(row[3]) + "' is no number of units",
                   "bring it back from a copy"};
    }
    books.positions.push_back(position);
  }
  return {};
}

}  // namespace

Result<Books> read_within(Database& database, const std::vector<Migration>& known) {
  Books books;
  const auto schema = read_schema(database, known);
  if (!schema) return schema.error();
  if (*schema == 0) {
    return Error{ErrorKind::not_found, "there is no ledger in this database",
                 "name the one that the connector uses with --store"};
  }
  books.schema = *schema;
  const auto epoch = read_epoch(database);
  if (!epoch) return epoch.error();
  books.epoch = *epoch;
  if (const auto read = read_instances(database, books); !read) return read.error();
  if (const auto read = read_parts(database, books); !read) return read.error();
  if (const auto read = read_positions(database, books); !read) return read.error();
  return books;
}

Result<std::int64_t> read_epoch(Database& database) {
  const auto rows = database.query("SELECT epoch FROM ledger_state WHERE id = 1", {});
  if (!rows) return rows.error();
  if (rows->empty()) {
    return Error{ErrorKind::corrupt, "the ledger's state is gone", "bring it back from a copy"};
  }
  return number(rows->at(0).at(0));
}

Result<Books> read_books(Database& database, const std::vector<Migration>& known) {
  if (const auto begun = database.begin(Database::Access::read); !begun) return begun.error();
  auto books = read_within(database, known);
  database.roll_back();
  return books;
}

}  // namespace slipway::ledger
