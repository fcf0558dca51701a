#pragma once

#include "base/unique_fd.hpp"
#include "ledger/database.hpp"

#include <filesystem>
#include <map>
#include <set>

struct sqlite3;
struct sqlite3_stmt;

namespace slipway::ledger {

// A file, in SQLite's write-ahead mode, fsynced with every commit. Instances on this host share it;
// they lock bytes of the file FILE-locks: one while it writes, and one each while it lives. The
// kernel frees those of a process that dies.
class SqliteDatabase : public Database {
 public:
  SqliteDatabase(std::filesystem::path file, bool read_only);
  ~SqliteDatabase() override;
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  Result<void> connect() override;
  Result<void> begin(Access access) override;
  Result<void> commit() override;
  void roll_back() override;
  Result<std::vector<Values>> query(const std::string& sql, const Values& parameters) override;
  Result<std::int64_t> change(const std::string& sql, const Values& parameters) override;
  Result<void> change_each(const std::string& sql, const std::vector<Values>& rows) override;
  Result<bool> has_table(const std::string& name) override;
  Result<void> claim(InstanceId instance) override;
  Result<bool> is_claimed(InstanceId instance) override;
  Result<std::vector<std::string>> check_integrity() override;

 private:
  void close();
  Result<void> open_locks();
  Result<void> open_file();
  Result<void> run(const char* sql);          // once
  Result<void> step(const std::string& sql);  // prepared, for each transaction
  Result<void> take_write_lock();
  void leave_write_lock();
  void checkpoint();
  Result<sqlite3_stmt*> prepared(const std::string& sql, const Values& parameters);
  Error error(std::string_view doing) const;
  Error failed_step(sqlite3_stmt* statement, const std::string& sql);

  std::filesystem::path file_;
  bool read_only_;
  UniqueFd locks_;
  sqlite3* db_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
  std::set<InstanceId> claims_;
  bool writing_ = false;
  int log_pages_ = 0;  // of the write-ahead log
};

}  // namespace slipway::ledger
