#include "ledger/books.hpp"

#include "ledger/database.hpp"
#include "support/catch.hpp"

using namespace slipway::ledger;

TEST_CASE("128 bits survive being written in decimal", "[ledger]") {
  const Wide half = Wide{1} << 126;
  const Wide most = half - 1 + half;
  for (const Wide number : {Wide{0}, Wide{-1}, Wide{42}, Wide{INT64_MIN}, most, -most - 1}) {
    Wide read = 7;
    REQUIRE(parse_decimal(to_decimal(number), read));
    CHECK((read == number));
  }
  CHECK(to_decimal(most) == "170141183460469231731687303715884105727");
  CHECK(to_decimal(-most - 1) == "-170141183460469231731687303715884105728");
}

TEST_CASE("what is no decimal number of 128 bits is refused", "[ledger]") {
  Wide read = 0;
  for (const char* text : {"", "-", "1x", " 1", "+1", "170141183460469231731687303715884105728",
                           "-170141183460469231731687303715884105729"}) {
    INFO(text);
    CHECK_FALSE(parse_decimal(text, read));
  }
}

TEST_CASE("a store is a file of SQLite or a server of PostgreSQL, and nothing else", "[ledger]") {
  for (const char* good : {"sqlite:/var/lib/connector/ledger.db", "postgresql://host/db",
                           "postgres://user:secret@host:5432/db?sslmode=require"}) {
    INFO(good);
    CHECK(check_store(good).has_value());
  }
  for (const char* bad : {"", "sqlite:", "sqlite:ledger.db", "sqlite:///x", "sqlite:/folder/",
                          "mysql://host/db", "/var/lib/connector/ledger.db"}) {
    INFO(bad);
    CHECK_FALSE(check_store(bad).has_value());
  }
}

TEST_CASE("a store that is refused is refused without its password", "[ledger]") {
  for (const char* bad :
       {"host=db user=app password=hunter2", "postgres//u:hunter2@h", "hunter2", "sqlite3:hunter2",
        "postgresql://u:50%hunter2@h/d", "postgresql://u:hunter2/x@h/d",
        "postgresql://u:1/hunter2@h/d", "postgresql://u:x@hunter2@h/d"}) {
    INFO(bad);
    const auto checked = check_store(bad);
    REQUIRE_FALSE(checked.has_value());
    CHECK_THAT(checked.error().text(), !ContainsSubstring("hunter2"));
  }
}

TEST_CASE("a password in a store's URL is not shown", "[ledger]") {
  CHECK(without_password("postgresql://user:secret@host:5432/db") ==
        "postgresql://user:***@host:5432/db");
  CHECK(without_password("postgresql://user@host/db?password=secret") ==
        "postgresql://user@host/db");
  CHECK(without_password("postgresql:///db?host=/run&password=secret") == "postgresql:///db");
  CHECK(without_password("postgresql://user:sec:r@t@host") == "postgresql://user:***@host");
  CHECK(without_password("postgresql://u:sec?ret@127.0.0.1:1/d") == "postgresql://u:***");
  CHECK(without_password("postgresql://u:se/c?ret@h/d?a=b") == "postgresql://u:***");
  CHECK(without_password("postgresql://u@h/d?password=secr@t") == "postgresql://u:***");
  CHECK(without_password("postgresql:///d?password=secr@t") == "postgresql://:***");
  CHECK(without_password("postgresql://host/d") == "postgresql://host/d");
  CHECK(without_password("host=db user=app password=secret") == "***");
  CHECK(without_password("sqlite:/var/lib/a@b.db") == "sqlite:/var/lib/a@b.db");
}
