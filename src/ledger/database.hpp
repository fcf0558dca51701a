#pragma once

#include "base/error.hpp"
#include "ledger/books.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace slipway::ledger {

using Value = std::variant<std::int64_t, std::string>;
using Values = std::vector<Value>;

// A database as the Store needs it: a few statements that SQLite and PostgreSQL both understand,
// with parameters $1, $2 ... in the order in which they first appear, and a way to see who lives.
// Blocks; one thread. Errors: not_found (there is none, opened for reading), unreachable (the
// connection is gone: connect() again), busy, io (disk full and the like), failed.
class Database {
 public:
  enum class Access {
    read,   // a consistent look
    own,    // writes only rows of this instance
    whole,  // writes what depends on rows of others: one at a time
  };

  virtual ~Database() = default;

  // To be called first, and again after an error `unreachable`.
  virtual Result<void> connect() = 0;
  virtual Result<void> begin(Access access) = 0;
  // Durable on return.
  virtual Result<void> commit() = 0;
  virtual void roll_back() = 0;
  virtual Result<std::vector<Values>> query(const std::string& sql, const Values& parameters) = 0;
  // How many rows were changed.
  virtual Result<std::int64_t> change(const std::string& sql, const Values& parameters) = 0;
  // The same statement for each of many.
  virtual Result<void> change_each(const std::string& sql, const std::vector<Values>& rows) = 0;
  virtual Result<bool> has_table(const std::string& name) = 0;

  // Says that the instance lives, until this process or its connection ends. connect() claims again
  // what was claimed.
  virtual Result<void> claim(InstanceId instance) = 0;
  // Whether anybody claims it.
  virtual Result<bool> is_claimed(InstanceId instance) = 0;

  // What the database finds wrong with itself.
  virtual Result<std::vector<std::string>> check_integrity() = 0;
};

// Which database, by its URL: "sqlite:/absolute/path" or "postgresql://...". Errors: usage, when it
// is neither, or this build cannot.
Result<void> check_store(const std::string& url);
// `read_only`: nothing is made or changed. Errors: check_store's.
Result<std::unique_ptr<Database>> open_database(const std::string& url, bool read_only);
// The URL without a password, for messages.
std::string without_password(const std::string& url);

}  // namespace slipway::ledger
