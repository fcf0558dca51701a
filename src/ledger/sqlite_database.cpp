#include "ledger/sqlite_database.hpp"

#include <chrono>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <thread>

#include <fmt/core.h>

namespace slipway::ledger {
namespace {

using namespace std::chrono_literals;

constexpr auto busy_after = 2s;
constexpr int busy_after_ms = 2000;
constexpr off_t write_byte = 0;  // ids of instances are positive
// Pages of the write-ahead log after which it is copied into the file.
constexpr int checkpoint_pages = 1000;

// A lock on one byte, of the open file description: it ends with the last descriptor of it, and not
// as with POSIX's own when any descriptor of the file is closed.
struct flock byte_lock(short type, off_t byte) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

bool set_lock(int fd, short type, off_t byte) {
  auto lock = byte_lock(type, byte);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

ErrorKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::corrupt;
    case SQLITE_FULL:
      return ErrorKind::io;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      // Opened anew: what the file was may have gone with its disk.
      return ErrorKind::unreachable;
    default:
      return ErrorKind::failed;
  }
}

std::string remedy_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "make room on its disk";
    case SQLITE_CANTOPEN:
      return "its folder must exist and be writable by the connector's user";
    case SQLITE_READONLY:
      return "it and its folder must be writable by the connector's user";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "stop the connectors that use it, and bring it back from a copy";
    default:
      return {};
  }
}

}  // namespace

SqliteDatabase::SqliteDatabase(std::filesystem::path file, bool read_only)
    : file_(std::move(file)), read_only_(read_only) {}

SqliteDatabase::~SqliteDatabase() {
  close();
}

void SqliteDatabase::close() {
  for (const auto& [sql, statement] : statements_) ::sqlite3_finalize(statement);
  statements_.clear();
  ::sqlite3_close(db_);
  db_ = nullptr;
  leave_write_lock();
}

Error SqliteDatabase::error(std::string_view doing) const {
  const int code = ::sqlite3_extended_errcode(db_);
  return {kind_of(code),
          fmt::format("the ledger {}: {}: {} (SQLite {})", file_.string(), doing,
                      ::sqlite3_errmsg(db_), code),
          remedy_of(code)};
}

Result<void> SqliteDatabase::connect() {
  close();
  if (const auto opened = open_locks(); !opened) return opened.error();
  return open_file();
}

// Kept for as long as the process lives, so that its claims outlast a reopening.
Result<void> SqliteDatabase::open_locks() {
  if (locks_) return {};
  const std::string name = file_.string() + "-locks";
  const int flags = O_CLOEXEC | (read_only_ ? O_RDONLY : O_RDWR | O_CREAT);
  UniqueFd locks(::open(name.c_str(), flags, 0600));
  if (!locks && !(read_only_ && errno == ENOENT)) {
    Error failed = io_error("opening the ledger's locks", name, errno);
    failed.remedy = "its folder must exist and be writable by the connector's user";
    return failed;
  }
  locks_ = std::move(locks);
  for (const InstanceId instance : claims_) set_lock(locks_.get(), F_WRLCK, instance);
  return {};
}

Result<void> SqliteDatabase::open_file() {
  if (!read_only_) {
    // What is in it is nobody else's business; SQLite gives its log the same mode.
    UniqueFd made(::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!made) {
      Error failed = io_error("opening the ledger", file_.string(), errno);
      failed.remedy = remedy_of(SQLITE_CANTOPEN);
      return failed;
    }
  } else if (!std::filesystem::exists(file_)) {
    return Error{ErrorKind::not_found, fmt::format("there is no ledger {}", file_.string()),
                 "name the one that the connector uses with --store"};
  }
  const int flags = (read_only_ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (::sqlite3_open_v2(file_.c_str(), &db_, flags, nullptr) != SQLITE_OK) return error("opening");
  ::sqlite3_busy_timeout(db_, busy_after_ms);
  if (read_only_) return {};
  if (const auto locked = take_write_lock(); !locked) return locked.error();
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                             // Copying the log back happens under our own lock, see checkpoint().
                             "PRAGMA wal_autocheckpoint=0"}) {
    if (const auto set = run(pragma); !set) {
      leave_write_lock();
      return set.error();
    }
  }
  leave_write_lock();
  ::sqlite3_wal_hook(
      db_,
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      &log_pages_);
  return {};
}

Result<void> SqliteDatabase::run(const char* sql) {
  if (::sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return error(sql);
}

// SQLite waits for a writer by sleeping ever longer; with this one it hardly ever has to.
Result<void> SqliteDatabase::take_write_lock() {
  const auto deadline = std::chrono::steady_clock::now() + busy_after;
  while (!set_lock(locks_.get(), F_WRLCK, write_byte)) {
    if (std::chrono::steady_clock::now() > deadline) {
      return Error{
          ErrorKind::busy,
          fmt::format("the ledger {}: another process has been writing for 2 s", file_.string()),
          {}};
    }
    std::this_thread::sleep_for(500us);
  }
  writing_ = true;
  return {};
}

void SqliteDatabase::leave_write_lock() {
  if (writing_) set_lock(locks_.get(), F_UNLCK, write_byte);
  writing_ = false;
}

Result<void> SqliteDatabase::begin(Access access) {
  if (access == Access::read) return step("BEGIN");
  if (const auto locked = take_write_lock(); !locked) return locked.error();
  const auto begun = step("BEGIN IMMEDIATE");
  if (!begun) leave_write_lock();
  return begun;
}

Result<void> SqliteDatabase::commit() {
  const auto committed = step("COMMIT");
  if (!committed) {
    roll_back();
    return committed.error();
  }
  if (log_pages_ > checkpoint_pages) checkpoint();
  leave_write_lock();
  return {};
}

void SqliteDatabase::roll_back() {
  if (db_ != nullptr && ::sqlite3_get_autocommit(db_) == 0) {
    ::sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  leave_write_lock();
}

// Nobody writes meanwhile: SQLite before 3.51.3 has a race of a writer with a checkpoint of another
// process. A failure only leaves the log longer.
void SqliteDatabase::checkpoint() {
  ::sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  log_pages_ = 0;
}

Result<sqlite3_stmt*> SqliteDatabase::prepared(const std::string& sql, const Values& parameters) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr &&
      ::sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &statement, nullptr) != SQLITE_OK) {
    return error(sql);
  }
  ::sqlite3_reset(statement);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const int at = static_cast<int>(i) + 1;
    if (const auto* number = std::get_if<std::int64_t>(&parameters[i])) {
      ::sqlite3_bind_int64(statement, at, *number);
    } else {
      const auto& text = std::get<std::string>(parameters[i]);
      // It outlives the step: the caller has it.
      ::sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), nullptr);
    }
  }
  return statement;
}

// A statement that is not reset keeps its transaction open.
Error SqliteDatabase::failed_step(sqlite3_stmt* statement, const std::string& sql) {
  const Error failed = error(sql);
  ::sqlite3_reset(statement);
  return failed;
}

Result<std::vector<Values>> SqliteDatabase::query(const std::string& sql,
                                                  const Values& parameters) {
  const auto statement = prepared(sql, parameters);
  if (!statement) return statement.error();
  std::vector<Values> rows;
  int step;
  while ((step = ::sqlite3_step(*statement)) == SQLITE_ROW) {
    Values& row = rows.emplace_back();
    for (int i = 0; i < ::sqlite3_column_count(*statement); ++i) {
      if (::sqlite3_column_type(*statement, i) == SQLITE_INTEGER) {
        row.emplace_back(std::int64_t{::sqlite3_column_int64(*statement, i)});
      } else {
        const auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(*statement, i));
        row.emplace_back(std::string(text == nullptr ? "" : text));
      }
    }
  }
  if (step != SQLITE_DONE) return failed_step(*statement, sql);
  ::sqlite3_reset(*statement);
  return rows;
}

Result<std::int64_t> SqliteDatabase::change(const std::string& sql, const Values& parameters) {
  const auto statement = prepared(sql, parameters);
  if (!statement) return statement.error();
  const int step = ::sqlite3_step(*statement);
  if (step != SQLITE_DONE && step != SQLITE_ROW) return failed_step(*statement, sql);
  const std::int64_t changed = ::sqlite3_changes(db_);
  ::sqlite3_reset(*statement);
  return changed;
}

Result<void> SqliteDatabase::step(const std::string& sql) {
  if (const auto done = change(sql, {}); !done) return done.error();
  return {};
}

Result<void> SqliteDatabase::change_each(const std::string& sql, const std::vector<Values>& rows) {
  for (const Values& row : rows) {
    if (const auto changed = change(sql, row); !changed) return changed.error();
  }
  return {};
}

Result<bool> SqliteDatabase::has_table(const std::string& name) {
  const auto rows =
      query("SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1", {name});
  if (!rows) return rows.error();
  return !rows->empty();
}

Result<void> SqliteDatabase::claim(InstanceId instance) {
  if (!set_lock(locks_.get(), F_WRLCK, instance)) {
    return io_error("locking a byte of", file_.string() + "-locks", errno);
  }
  claims_.insert(instance);
  return {};
}

Result<bool> SqliteDatabase::is_claimed(InstanceId instance) {
  if (claims_.contains(instance)) return true;
  if (!locks_) return false;
  // Readers may ask for a shared lock only; a writer's is in the way of that, too.
  auto lock = byte_lock(read_only_ ? F_RDLCK : F_WRLCK, instance);
  if (::fcntl(locks_.get(), F_OFD_GETLK, &lock) != 0) {
    return io_error("asking who locks", file_.string() + "-locks", errno);
  }
  return lock.l_type != F_UNLCK;
}

Result<std::vector<std::string>> SqliteDatabase::check_integrity() {
  const auto rows = query("PRAGMA integrity_check(20)", {});
  if (!rows) return rows.error();
  std::vector<std::string> faults;
  for (const Values& row : *rows) {
    const auto* text = std::get_if<std::string>(&row.at(0));
    if (text != nullptr && *text != "ok") faults.push_back(*text);
  }
  return faults;
}

}  // namespace slipway::ledger
