// A static build has no libpq.
#ifdef SLIPWAY_POSTGRESQL

#include "ledger/postgres_database.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <libpq-fe.h>
#include <memory>
#include <optional>

#include <fmt/core.h>

namespace slipway::ledger {
namespace {

// Whoever writes what depends on others' rows holds this one; ids of instances are positive.
constexpr std::int64_t whole_lock = -1;

// What a session needs: durable commits whatever the server's default, and an end to every wait.
constexpr const char* session_settings =
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local'); "
    "SET statement_timeout = '5s'; SET lock_timeout = '2s'; "
    "SET idle_in_transaction_session_timeout = '10s'; SET client_min_messages = 'warning'; "
    // A client that has vanished: its claims must not stay for hours.
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3";

constexpr Oid bigint_type = 20;

bool is_disk_full(std::string_view state) {
  return state == "53100";
}

bool is_busy(std::string_view state) {
  // Lock or statement timeout, deadlock, serialization.
  return state == "55P03" || state == "57014" || state.starts_with("40");
}

std::string first_line(const char* text) {
  std::string line = text == nullptr ? "" : text;
  return line.substr(0, line.find('\n'));
}

}  // namespace

class PostgresDatabase::Answer {
 public:
  explicit Answer(PGresult* result) : result_(result, &::PQclear) {}

  const PGresult* get() const { return result_.get(); }
  bool good() const {
    const auto status = ::PQresultStatus(result_.get());
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  }

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

// What libpq says of a URL that it cannot read shows the part in question, which is the password's
// where that was not encoded.
Result<void> PostgresDatabase::check(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      ::PQconninfoParse(url.c_str(), nullptr), &::PQconninfoFree);
  bool good = options != nullptr;
  for (const PQconninfoOption* each = options.get(); good && each->keyword != nullptr; ++each) {
    const std::string_view key = each->keyword;
    const std::string_view value = each->val == nullptr ? "" : each->val;
    if (key == "port") good = value.find_first_not_of("0123456789,") == std::string_view::npos;
    if (key == "host" || key == "dbname") good = value.find('@') == std::string_view::npos;
  }
  if (good) return {};
  return Error{
      ErrorKind::usage, "the URL of the ledger's server cannot be read",
      "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, after ? only parameters that "
      "libpq knows, and in USER and PASSWORD what is neither a letter nor a digit as % and "
      "its two hexadecimal digits"};
}

PostgresDatabase::PostgresDatabase(std::string url, bool read_only)
    : url_(std::move(url)), read_only_(read_only) {}

PostgresDatabase::~PostgresDatabase() {
  ::PQfinish(connection_);
}

Error PostgresDatabase::error(std::string_view doing, const PGresult* result) const {
  const char* field = result == nullptr ? nullptr : ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  ErrorKind kind = ErrorKind::failed;
  std::string remedy;
  if (::PQstatus(connection_) != CONNECTION_OK || state.starts_with("57P")) {
    kind = ErrorKind::unreachable;
    remedy = "start the server, or correct the ledger's store";
  } else if (is_disk_full(state)) {
    kind = ErrorKind::io;
    remedy = "make room on the server's disk";
  } else if (is_busy(state)) {
    kind = ErrorKind::busy;
  }
  const char* said =
      result == nullptr ? ::PQerrorMessage(connection_) : ::PQresultErrorMessage(result);
  if (*said == '\0') said = ::PQerrorMessage(connection_);
  return {kind,
          fmt::format("the ledger {}: {}: {}", without_password(url_), doing, first_line(said)),
          remedy};
}

Result<void> PostgresDatabase::connect() {
  ::PQfinish(connection_);
  statements_.clear();
  // What the URL says counts before these.
  constexpr std::array<const char*, 6> keys{"connect_timeout",  "keepalives_idle",
                                            "tcp_user_timeout", "application_name",
                                            "dbname",           nullptr};
  const std::array<const char*, 6> values{"5",          "5",    "10000", "m2m-connector",
                                          url_.c_str(), nullptr};
  connection_ = ::PQconnectdbParams(keys.data(), values.data(), 1);
  if (::PQstatus(connection_) != CONNECTION_OK) return error("connecting", nullptr);
  ::PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
  if (const auto set = run(session_settings); !set) return set.error();
  if (read_only_) return run("SET default_transaction_read_only = on");
  for (const InstanceId instance : std::set(claims_)) {
    if (const auto claimed = claim(instance); !claimed) return claimed.error();
  }
  return {};
}

Result<void> PostgresDatabase::run(const std::string& sql) {
  const Answer answer(::PQexec(connection_, sql.c_str()));
  if (answer.good()) return {};
  return error(sql.substr(0, sql.find(';')), answer.get());
}

Result<void> PostgresDatabase::begin(Access access) {
  if (access == Access::read) return run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (const auto begun = run("BEGIN"); !begun || access == Access::own) return begun;
  const auto locked = query("SELECT pg_advisory_xact_lock($1)", {whole_lock});
  if (locked) return {};
  roll_back();
  return locked.error();
}

Result<void> PostgresDatabase::commit() {
  const Answer answer(::PQexec(connection_, "COMMIT"));
  // A transaction that had failed is answered with ROLLBACK, and no error.
  if (answer.good() &&
      std::strcmp(::PQcmdStatus(const_cast<PGresult*>(answer.get())), "COMMIT") == 0)
    return {};
  const Error failed = error("COMMIT", answer.get());
  roll_back();
  return failed;
}

void PostgresDatabase::roll_back() {
  if (::PQtransactionStatus(connection_) == PQTRANS_IDLE) return;
  const Answer ignored(::PQexec(connection_, "ROLLBACK"));
}

Result<std::string> PostgresDatabase::prepared(const std::string& sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  const std::string name = fmt::format("ledger_{}", statements_.size());
  const Answer answer(::PQprepare(connection_, name.c_str(), sql.c_str(), 0, nullptr));
  if (!answer.good()) return error(sql, answer.get());
  statements_.emplace(sql, name);
  return name;
}

namespace {

// Parameters as libpq wants them: texts, and pointers to them.
struct Arguments {
  explicit Arguments(const Values& parameters) {
    texts.reserve(parameters.size());
    for (const Value& value : parameters) {
      const auto* number = std::get_if<std::int64_t>(&value);
      texts.push_back(number ? std::to_string(*number) : std::get<std::string>(value));
      pointers.push_back(texts.back().c_str());
    }
  }
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
};

}  // namespace

Result<PostgresDatabase::Answer> PostgresDatabase::execute(const std::string& sql,
                                                           const Values& parameters) {
  const auto name = prepared(sql);
  if (!name) return name.error();
  const Arguments arguments(parameters);
  Answer answer(::PQexecPrepared(connection_, name->c_str(), static_cast<int>(parameters.size()),
                                 arguments.pointers.data(), nullptr, nullptr, 0));
  if (!answer.good()) return error(sql, answer.get());
  return answer;
}

Result<std::vector<Values>> PostgresDatabase::query(const std::string& sql,
                                                    const Values& parameters) {
  const auto answer = execute(sql, parameters);
  if (!answer) return answer.error();
  const PGresult* result = answer->get();
  std::vector<Values> rows(static_cast<std::size_t>(::PQntuples(result)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (int j = 0; j < ::PQnfields(result); ++j) {
      const char* text = ::PQgetvalue(result, static_cast<int>(i), j);
      const Oid type = ::PQftype(result, j);
      std::int64_t number = 0;
      if (type == bigint_type || type == 23 || type == 21) {
        std::from_chars(text, text + std::strlen(text), number);
        rows[i].emplace_back(number);
      } else {
        rows[i].emplace_back(std::string(text));
      }
    }
  }
  return rows;
}

Result<std::int64_t> PostgresDatabase::change(const std::string& sql, const Values& parameters) {
  const auto answer = execute(sql, parameters);
  if (!answer) return answer.error();
  const char* text = ::PQcmdTuples(const_cast<PGresult*>(answer->get()));
  std::int64_t count = 0;
  std::from_chars(text, text + std::strlen(text), count);
  return count;
}

bool PostgresDatabase::send(const std::string& name, const Values& parameters) {
  const Arguments arguments(parameters);
  return ::PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(parameters.size()),
                               arguments.pointers.data(), nullptr, nullptr, 0) == 1;
}

// All in one round trip. So many at a time that neither side waits with full buffers for the other.
Result<void> PostgresDatabase::change_each(const std::string& sql,
                                           const std::vector<Values>& rows) {
  constexpr std::size_t at_a_time = 200;
  if (rows.empty()) return {};
  const auto name = prepared(sql);
  if (!name) return name.error();
  std::optional<Error> failed;
  for (std::size_t begin = 0; begin < rows.size() && !failed; begin += at_a_time) {
    if (::PQenterPipelineMode(connection_) != 1) return error(sql, nullptr);
    const std::size_t end = std::min(begin + at_a_time, rows.size());
    for (std::size_t i = begin; i < end && !failed; ++i) {
      if (!send(*name, rows[i])) failed = error(sql, nullptr);
    }
    if (::PQpipelineSync(connection_) != 1) return failed ? *failed : error(sql, nullptr);
    // A result and a null for each, then that of the sync.
    for (bool synced = false; !synced;) {
      const Answer answer(::PQgetResult(connection_));
      if (answer.get() == nullptr) {
        if (::PQstatus(connection_) != CONNECTION_OK) return error(sql, nullptr);
        continue;
      }
      synced = ::PQresultStatus(answer.get()) == PGRES_PIPELINE_SYNC;
      if (!synced && !answer.good() && !failed) failed = error(sql, answer.get());
    }
    ::PQexitPipelineMode(connection_);
  }
  if (failed) return *failed;
  return {};
}

Result<bool> PostgresDatabase::has_table(const std::string& name) {
  const auto rows = query(
      "SELECT count(*) FROM pg_tables WHERE tablename = $1 AND schemaname = "
      "ANY (current_schemas(false))",
      {name});
  if (!rows) return rows.error();
  return std::get<std::int64_t>(rows->at(0).at(0)) > 0;
}

Result<void> PostgresDatabase::claim(InstanceId instance) {
  // Not waiting: until the server has noticed that our session of before is gone it may hold it.
  const auto rows =
      query("SELECT count(*) FROM (SELECT 1 WHERE pg_try_advisory_lock($1)) AS got", {instance});
  if (!rows) return rows.error();
  if (std::get<std::int64_t>(rows->at(0).at(0)) == 0) {
    return Error{ErrorKind::busy, "the ledger's server still holds the session of before", {}};
  }
  claims_.insert(instance);
  return {};
}

Result<bool> PostgresDatabase::is_claimed(InstanceId instance) {
  const auto rows = query(
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND "
      "database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND "
      "(classid::bigint << 32 | objid::bigint) = $1",
      {instance});
  if (!rows) return rows.error();
  return std::get<std::int64_t>(rows->at(0).at(0)) > 0;
}

Result<std::vector<std::string>> PostgresDatabase::check_integrity() {
  return std::vector<std::string>{};  // the server's own business
}

}  // namespace slipway::ledger

#endif  // SLIPWAY_POSTGRESQL
