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
    return {};
#else
    return Error{ErrorKind::usage, "this build of the connector has no PostgreSQL",
                 "use the connector of the image, or sqlite:"};
#endif
  }
  return Error{ErrorKind::usage,
               "'" + without_password(url) + "' is not none, sqlite:FILE or postgresql://...",
               {}};
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

std::string without_password(const std::string& url) {
  if (url.starts_with(sqlite_scheme)) return url;
  // What follows may have one, too.
  const std::string shown = url.substr(0, url.find('?'));
  const std::size_t at = shown.rfind('@');
  const std::size_t scheme = shown.find("://");
  const std::size_t colon = shown.find(':', scheme == std::string::npos ? 0 : scheme + 1);
  if (at == std::string::npos || colon >= at) return shown;
  return shown.substr(0, colon) + ":***" + shown.substr(at);
}

}  // namespace slipway::ledger
