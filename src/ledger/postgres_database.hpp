#pragma once

#include "ledger/database.hpp"

#include <map>
#include <set>

struct pg_conn;
struct pg_result;

namespace slipway::ledger {

// A PostgreSQL server, for instances on several hosts. An instance lives while its session holds an
// advisory lock of its id; the server frees it when the session ends.
class PostgresDatabase : public Database {
 public:
  PostgresDatabase(std::string url, bool read_only);
  ~PostgresDatabase() override;
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

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

  // Whether libpq can read the URL. Errors: usage, with nothing of the URL.
  static Result<void> check(const std::string& url);

 private:
  class Answer;
  Result<Answer> execute(const std::string& sql, const Values& parameters);
  Result<std::string> prepared(const std::string& sql);
  Result<void> run(const std::string& sql);
  bool send(const std::string& name, const Values& parameters);
  Error error(std::string_view doing, const pg_result* result) const;

  std::string url_;
  bool read_only_;
  pg_conn* connection_ = nullptr;
  std::map<std::string, std::string> statements_;  // SQL -> its name
  std::set<InstanceId> claims_;
};

}  // namespace slipway::ledger
