#include "connector/config.hpp"

#include "connector/account.hpp"
#include "connector/peer_url.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>

using namespace slipway;
using namespace slipway::connector;

namespace {

const std::string good = R"({
  "address": "test.slipway",
  "btp": {"host": "0.0.0.0", "port": 4000}, "http": {"host": "0.0.0.0", "port": 8080},
  "expiryMarginMs": 500,
  "accounts": [
    {"id": "alice", "relation": "child", "asset": {"code": "USD", "scale": 9}, "token": "secret-a",
     "minimumBalance": "-1000000", "maximumBalance": "9223372036854775807"},
    {"id": "bob", "relation": "peer", "asset": {"code": "USD", "scale": 9}, "tokenEnv": "BOB"},
    {"id": "up", "relation": "parent", "asset": {"code": "EUR", "scale": 2},
     "btp": {"url": "btp+ws://me:secret-up@example.test:7768/btp"}}
  ],
  "rates": {"USD": "1", "EUR": 1.08},
  "routes": [{"prefix": "test.slipway.bob", "account": "bob"}]
})";

std::string refusal(std::string json, const Environment& environment = {{"BOB", "secret-b"}}) {
  const auto config = parse_config(json, environment);
  REQUIRE(config.has_error());
  CHECK(config.error().kind == ErrorKind::usage);
  CHECK_THAT(config.error().text(), !ContainsSubstring("secret"));
  return config.error().what;
}

std::string with(const std::string& from, const std::string& to) {
  std::string json = good;
  const auto at = json.find(from);
  REQUIRE(at != std::string::npos);
  return json.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a configuration is read in full", "[connector]") {
  const auto config = parse_config(good, {{"BOB", "secret-b"}});
  REQUIRE(config.has_value());
  CHECK(config->address == "test.slipway");
  CHECK(config->btp.port == 4000);
  CHECK(config->http.port == 8080);
  CHECK(config->expiry_margin == std::chrono::milliseconds(500));
  REQUIRE(config->accounts.size() == 3);
  CHECK(config->accounts[0].token == "secret-a");
  CHECK(config->accounts[0].address == "test.slipway.alice");
  CHECK(config->accounts[0].minimum_balance == -1000000);
  CHECK(config->accounts[0].maximum_balance == INT64_MAX);
  CHECK(config->accounts[1].token == "secret-b");
  REQUIRE(config->accounts[2].btp);
  CHECK(config->accounts[2].btp->host == "example.test");
  CHECK(config->accounts[2].btp->port == 7768);
  CHECK(config->accounts[2].btp->path == "/btp");
  CHECK(config->accounts[2].btp->user == "me");
  CHECK(config->accounts[2].btp->token == "secret-up");
  CHECK(config->accounts[2].price == Ratio{27, 25});
  CHECK(config->routes.at(0).prefix == "test.slipway.bob");
}

TEST_CASE("the environment overrides ports, role and log level", "[connector]") {
  const auto config = parse_config(good, {{"BOB", "b"},
                                          {"CONNECTOR_BTP_PORT", "0"},
                                          {"CONNECTOR_HTTP_PORT", "9090"},
                                          {"CONNECTOR_ROLE", "standby"},
                                          {"CONNECTOR_LOG_LEVEL", "warn"}});
  REQUIRE(config.has_value());
  CHECK(config->btp.port == 0);
  CHECK(config->http.port == 9090);
  CHECK(config->role == StartRole::standby);
  CHECK(config->log_level == "warn");
}

TEST_CASE("what is wrong in a configuration is named by its path", "[connector]") {
  CHECK_THAT(refusal("{"), ContainsSubstring("not JSON"));
  CHECK_THAT(refusal("{}"), ContainsSubstring("address: is missing"));
  CHECK_THAT(refusal(with("\"test.slipway\"", "\"nowhere\"")), ContainsSubstring("address:"));
  CHECK_THAT(refusal(with("expiryMarginMs", "expiryMarginSecs")),
             ContainsSubstring("expiryMarginSecs: is not a known field"));
  CHECK_THAT(refusal(with("\"port\": 4000", "\"port\": 70000")), ContainsSubstring("btp.port:"));
  CHECK_THAT(refusal(with("\"relation\": \"peer\"", "\"relation\": \"friend\"")),
             ContainsSubstring("accounts[1].relation:"));
  CHECK_THAT(refusal(with("\"scale\": 9}, \"tokenEnv\"", "\"scale\": 256}, \"tokenEnv\"")),
             ContainsSubstring("accounts[1].asset.scale:"));
  CHECK_THAT(refusal(with("\"-1000000\"", "\"-1e6\"")),
             ContainsSubstring("accounts[0].minimumBalance:"));
  CHECK_THAT(refusal(with("\"id\": \"bob\"", "\"id\": \"alice\"")),
             ContainsSubstring("two accounts have the id 'alice'"));
  CHECK_THAT(refusal(with("\"id\": \"bob\"", "\"id\": \"b\\\"b\"")),
             ContainsSubstring("accounts[1].id:"));
  CHECK_THAT(refusal(with("\"account\": \"bob\"", "\"account\": \"eve\"")),
             ContainsSubstring("is no account"));
  CHECK_THAT(refusal(with("btp+ws://", "ws://")), ContainsSubstring("accounts[2].btp.url:"));
  CHECK_THAT(refusal(good, {}), ContainsSubstring("accounts[1].tokenEnv:"));
  CHECK_THAT(refusal(with("\"tokenEnv\": \"BOB\"", "\"token\": \"secret-a\"")),
             ContainsSubstring("has the token of another account"));
}

TEST_CASE("what is no JSON is told by its place, and not shown", "[connector]") {
  CHECK_THAT(refusal(with("\"secret-a\"", "\"secret\n-a\"")),
             ContainsSubstring("not JSON: what is at line 6, column 96 cannot be there"));
  CHECK_THAT(refusal(with("\"secret-a\"", "secret-a")), ContainsSubstring("line 6, column 89"));
  CHECK_THAT(refusal("{\n\"token\": \"secret"),
             ContainsSubstring("it ends too early, at line 2, column 17"));
  CHECK_THAT(refusal(with("\"secret-a\"", "\"secret\xff\"")), ContainsSubstring("line 6, column"));
  CHECK_THAT(refusal(with("500", "5e999")), ContainsSubstring("not JSON: it has a number"));
}

TEST_CASE("a rate below one packet a second lets one packet through at a time", "[connector]") {
  const auto limited = [](const std::string& limit) {
    return with(R"("tokenEnv": "BOB")", R"("tokenEnv": "BOB", "rateLimit": )" + limit);
  };
  const auto slow = parse_config(limited(R"({"packetsPerSecond": 0.5})"), {{"BOB", "b"}});
  REQUIRE(slow.has_value());
  CHECK(slow->accounts[1].rate_limit->burst == 1);
  TokenBucket bucket(*slow->accounts[1].rate_limit);
  TokenBucket::TimePoint now{std::chrono::seconds(1000)};
  CHECK(bucket.take(now));
  CHECK_FALSE(bucket.take(now + std::chrono::milliseconds(1999)));
  CHECK(bucket.take(now + std::chrono::milliseconds(2001)));
  const auto fast = parse_config(limited(R"({"packetsPerSecond": 20})"), {{"BOB", "b"}});
  REQUIRE(fast.has_value());
  CHECK(fast->accounts[1].rate_limit->burst == 20);
  CHECK_THAT(refusal(limited(R"({"packetsPerSecond": 20, "burst": 0.5})")),
             ContainsSubstring("accounts[1].rateLimit.burst:"));
}

TEST_CASE("a route that no address could ever take is refused", "[connector]") {
  const auto routed = [](const std::string& prefix) {
    return with("\"test.slipway.bob\"", "\"" + prefix + "\"");
  };
  for (const char* good_prefix : {"", "g", "test", "test.a", "private.x~y_z-1.B"}) {
    INFO(good_prefix);
    CHECK(parse_config(routed(good_prefix), {{"BOB", "b"}}).has_value());
  }
  for (const char* bad : {"test.x.a.", "test.", ".", ".a", "nowhere", "nowhere.a", "test..a",
                          "nonsense prefix!", "test.a*", "Test.a"}) {
    INFO(bad);
    CHECK_THAT(refusal(routed(bad)), ContainsSubstring("routes[0].prefix:"));
  }
}

namespace {

std::string with_ledger(const std::string& ledger) {
  return with("\"address\": \"test.slipway\",",
              "\"address\": \"test.slipway\", \"ledger\": " + ledger + ",");
}

}  // namespace

TEST_CASE("the ledger is a file of SQLite in batches unless something else is said",
          "[connector]") {
  const auto plain = parse_config(good, {{"BOB", "b"}});
  REQUIRE(plain.has_value());
  CHECK(plain->ledger.store == "sqlite:/var/lib/connector/ledger.db");
  CHECK(plain->ledger.policy.durability == ledger::Durability::batch);
  CHECK(plain->ledger.policy.interval == std::chrono::milliseconds(50));
  CHECK(plain->ledger.policy.at_risk == std::chrono::milliseconds(100));
  const auto said = parse_config(
      with_ledger(R"({"store": "postgresql://host/db", "durability": "sync"})"), {{"BOB", "b"}});
  REQUIRE(said.has_value());
  CHECK(said->ledger.store == "postgresql://host/db");
  CHECK(said->ledger.policy.durability == ledger::Durability::sync);
  const auto none = parse_config(with_ledger(R"({"store": "none"})"), {{"BOB", "b"}});
  REQUIRE(none.has_value());
  CHECK(none->ledger.policy.durability == ledger::Durability::none);
  const auto slow = parse_config(with_ledger(R"({"batchMs": 200})"), {{"BOB", "b"}});
  REQUIRE(slow.has_value());
  CHECK(slow->ledger.policy.at_risk == std::chrono::milliseconds(400));
  const auto strict = parse_config(with_ledger(R"({"atRiskMs": 30})"), {{"BOB", "b"}});
  REQUIRE(strict.has_value());
  CHECK(strict->ledger.policy.interval == std::chrono::milliseconds(15));
  CHECK(strict->ledger.policy.at_risk == std::chrono::milliseconds(30));
  const auto from_outside =
      parse_config(good, {{"BOB", "b"}, {"CONNECTOR_LEDGER", "sqlite:/x/y.db"}});
  REQUIRE(from_outside.has_value());
  CHECK(from_outside->ledger.store == "sqlite:/x/y.db");
}

TEST_CASE("what is wrong about the ledger is named", "[connector]") {
  CHECK_THAT(refusal(with_ledger(R"({"store": "mysql://host"})")),
             ContainsSubstring("ledger.store: it is not none, sqlite:FILE"));
  CHECK_THAT(refusal(with_ledger(R"({"store": "sqlite:ledger.db"})")),
             ContainsSubstring("ledger.store: 'sqlite:ledger.db' names no file"));
  CHECK_THAT(refusal(with_ledger(R"({"durability": "none"})")),
             ContainsSubstring("ledger.durability: 'none' is not batch or sync"));
  CHECK_THAT(refusal(with_ledger(R"({"batchMs": 0})")), ContainsSubstring("ledger.batchMs:"));
  CHECK_THAT(refusal(with_ledger(R"({"batchMs": 20, "atRiskMs": 10})")),
             ContainsSubstring("ledger.atRiskMs: is less than batchMs"));
  CHECK_THAT(refusal(with_ledger(R"({"path": "/x"})")),
             ContainsSubstring("ledger.path: is not a known field"));
  CHECK_THAT(refusal(good, {{"BOB", "b"}, {"CONNECTOR_LEDGER", "postgres//u:secret@h"}}),
             ContainsSubstring("CONNECTOR_LEDGER:"));
  CHECK_THAT(
      refusal(good, {{"BOB", "b"}, {"CONNECTOR_LEDGER", "host=db user=app password=secret"}}),
      ContainsSubstring("CONNECTOR_LEDGER:"));
}

TEST_CASE("traces have a collector and a share, and what is wrong about them is named",
          "[connector]") {
  const auto traced = [](const std::string& traces) {
    return with(R"("expiryMarginMs": 500,)", R"("traces": )" + traces + ",");
  };
  const Environment environment{{"BOB", "secret-b"}};
  CHECK(parse_config(good, environment)->traces.url.empty());
  const auto config =
      parse_config(traced(R"({"url": "http://127.0.0.1:4318/v1/traces"})"), environment);
  REQUIRE(config.has_value());
  CHECK(config->traces.url == "http://127.0.0.1:4318/v1/traces");
  CHECK(config->traces.share == 0.001);
  const auto refused = [&](const std::string& traces) { return refusal(traced(traces)); };
  CHECK_THAT(refused(R"({"share": 0.1})"), ContainsSubstring("traces.url"));
  CHECK_THAT(refused(R"({"url": "http://me:secret@collector/v1"})"),
             ContainsSubstring("traces.url") && ContainsSubstring("4318"));
  for (const char* share : {"0", "1.5", "-1"}) {
    CHECK_THAT(refused(std::string(R"({"url": "http://collector/v1", "share": )") + share + "}"),
               ContainsSubstring("traces.share"));
  }
}

TEST_CASE("a token can come from a file", "[connector]") {
  const slipway::test::TemporaryDirectory directory;
  const auto file = directory.path() / "token";
  std::ofstream(file) << "secret-f\n";
  const auto config =
      parse_config(with("\"tokenEnv\": \"BOB\"", "\"tokenFile\": \"" + file.string() + "\""), {});
  REQUIRE(config.has_value());
  CHECK(config->accounts[1].token == "secret-f");
}

TEST_CASE("the configuration comes from the flag, the variable or the file it names",
          "[connector]") {
  const slipway::test::TemporaryDirectory directory;
  const std::string file = (directory.path() / "connector.json").string();
  std::ofstream(file) << good;
  CHECK(load_config(file, {{"BOB", "b"}}).has_value());
  CHECK(load_config("", {{"BOB", "b"}, {"CONNECTOR_CONFIG", file}}).has_value());
  CHECK(load_config("", {{"BOB", "b"}, {"CONNECTOR_CONFIG_JSON", good}}).has_value());
  CHECK_THAT(load_config("", {}).error().text(), ContainsSubstring("give --config FILE"));
  CHECK(load_config("/nonexistent.json", {}).error().kind == ErrorKind::not_found);
}

TEST_CASE("peer URLs have sensible defaults", "[connector]") {
  const auto url = parse_peer_url("btp+ws://:tok@[::1]:4000", "btp+ws");
  REQUIRE(url.has_value());
  CHECK(url->host == "::1");
  CHECK(url->port == 4000);
  CHECK(url->path == "/");
  CHECK(url->user.empty());
  CHECK(url->token == "tok");
  CHECK(parse_peer_url("btp+ws://host", "btp+ws")->port == 80);
  CHECK(parse_peer_url("btp+ws://host:0", "btp+ws").has_error());
  CHECK(parse_peer_url("btp+ws://:tok@", "btp+ws").has_error());
}
