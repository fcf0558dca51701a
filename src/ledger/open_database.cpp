#include "ledger/sqlite_database.hpp"

#ifdef SLIPWAY_POSTGRESQL
#include "ledger/postgres_database.hpp"
#endif

namespace slipway::ledger {
namespace {

constexpr std::string_view sqlite_scheme = "sqlite:";

bool is_postgres(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

}  // namespace

Result<void> check_store(const std::string& url) {
  if (url.starts_with(sqlite_scheme)) {
    const std::string file = url.substr(sqlite_scheme.size());
    if (file.starts_with('/') && !file.starts_with("//") && !file.ends_with('/')) return {};
    return Error{ErrorKind::usage, "'" + url + "' names no file",
                 "write sqlite: and the absolute path of a file"};
  }
  if (is_postgres(url)) {
#ifdef SLIPWAY_POSTGRESQL
    return PostgresDatabase::check(url);
#else
    return Error{ErrorKind::usage, "this build of the connector has no PostgreSQL",
                 "use the connector of the image, or sqlite:"};
#endif
  }
  // It may be a connection string in libpq's other form, with a password in it: not shown.
  return Error{ErrorKind::usage, "it is not none, sqlite:FILE or postgresql://...", {}};
}

Result<std::unique_ptr<Database>> open_database(const std::string& url, bool read_only) {
  if (const auto good = check_store(url); !good) return good.error();
#ifdef SLIPWAY_POSTGRESQL
  if (is_postgres(url)) {
    return std::unique_ptr<Database>(std::make_unique<PostgresDatabase>(url, read_only));
  }
#endif
  return std::unique_ptr<Database>(
      std::make_unique<SqliteDatabase>(url.substr(sqlite_scheme.size()), read_only));
}

// Where it is not plain which part is the password, all of it that could be is left out.
std::string without_password(const std::string& url) {
  if (url.starts_with(sqlite_scheme)) return url;
  if (!is_postgres(url)) return "***";
  const std::size_t begin = url.find("://") + 3;
  const std::size_t at = url.rfind('@');
  const std::size_t query = url.find('?', begin);
  if (at == std::string::npos || at < begin) return url.substr(0, query);
  const std::size_t user = url.find_first_of(":@/?", begin);
  std::string shown = url.substr(0, user);
  if (user < at) shown += ":***";
  if (query < at) return shown;
  return shown + url.substr(at, query - at);
}

}  // namespace slipway::ledger
