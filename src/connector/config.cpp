#include "connector/config.hpp"

#include "base/durable_file.hpp"
#include "connector/json_section.hpp"
#include "connector/peer_url.hpp"
#include "ledger/database.hpp"
#include "net/otlp.hpp"
#include "wire/ilp_packet.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

namespace slipway::connector {
namespace {

using std::chrono::milliseconds;

std::string read_token(Section& section, const Environment& environment) {
  const std::string direct = section.text("token", "");
  const std::string variable = section.text("tokenEnv", "");
  const std::string file = section.text("tokenFile", "");
  const int given = !direct.empty() + !variable.empty() + !file.empty();
  if (given > 1) section.refuse("token", "give only one of token, tokenEnv and tokenFile");
  if (!variable.empty()) {
    const auto found = environment.find(variable);
    if (found == environment.end() || found->second.empty()) {
      section.refuse("tokenEnv", fmt::format("the environment variable {} is not set", variable));
    }
    return found->second;
  }
  if (!file.empty()) {
    auto content = read_file(file, 4096);
    if (!content) section.refuse("tokenFile", content.error().what);
    content->erase(content->find_last_not_of(" \r\n\t") + 1);
    if (content->empty()) section.refuse("tokenFile", "the file is empty");
    return *content;
  }
  return direct;
}

std::optional<PeerUrl> read_peer(Section& account, const char* key, std::string_view scheme,
                                 const Environment& environment) {
  auto section = account.section(key);
  if (!section) return std::nullopt;
  auto url = parse_peer_url(section->text("url"), scheme);
  if (!url) section->refuse("url", url.error().what);
  const std::string token = read_token(*section, environment);
  if (!token.empty()) url->token = token;
  if (scheme == "http") url->callback_url = section->text("callbackUrl", "");
  section->finish();
  return *url;
}

Relation read_relation(Section& section) {
  const std::string text = section.text("relation", "child");
  if (text == "child") return Relation::child;
  if (text == "peer") return Relation::peer;
  if (text == "parent") return Relation::parent;
  section.refuse("relation", fmt::format("'{}' is not child, peer or parent", text));
}

// An id becomes a metric label, a log field and an address segment.
bool is_segment(std::string_view text) {
  return !text.empty() && text.find('.') == std::string_view::npos &&
         wire::is_valid_address("g." + std::string(text));
}

AccountConfig read_account(Section& section, const Config& config,
                           const std::map<std::string, Ratio>& rates,
                           const Environment& environment) {
  AccountConfig account;
  account.id = section.text("id");
  if (!is_segment(account.id)) {
    section.refuse("id", fmt::format("'{}' is not letters, digits, '_', '~' and '-'", account.id));
  }
  account.relation = read_relation(section);
  account.address = section.text("address", config.address + "." + account.id);
  if (!wire::is_valid_address(account.address)) {
    section.refuse("address", fmt::format("'{}' is not an ILP address", account.address));
  }
  if (auto asset = section.section("asset")) {
    account.asset_code = asset->text("code");
    account.asset_scale = static_cast<std::uint8_t>(asset->whole("scale", 0, 255));
    asset->finish();
  } else {
    section.refuse("asset", "is missing");
  }
  const auto rate = rates.find(account.asset_code);
  if (rate != rates.end()) account.price = rate->second;
  account.token = read_token(section, environment);
  account.minimum_balance = section.whole("minimumBalance", account.minimum_balance,
                                          account.minimum_balance, account.maximum_balance);
  account.maximum_balance = section.whole("maximumBalance", account.maximum_balance,
                                          account.minimum_balance, account.maximum_balance);
  account.maximum_packet_amount =
      section.natural("maximumPacketAmount", account.maximum_packet_amount);
  account.maximum_in_flight = static_cast<std::uint32_t>(
      section.whole("maximumInFlight", account.maximum_in_flight, 1, 1 << 18));
  if (auto limit = section.section("rateLimit")) {
    const double per_second = limit->number("packetsPerSecond");
    const double burst = limit->number("burst", std::max(1.0, per_second));
    if (burst < 1) limit->refuse("burst", "is less than one packet, so that none would ever pass");
    account.rate_limit = RateLimit{per_second, burst};
    limit->finish();
  }
  account.btp = read_peer(section, "btp", "btp+ws", environment);
  account.http = read_peer(section, "http", "http", environment);
  if (account.btp && account.http) section.refuse("http", "give btp or http, not both");
  section.finish();
  return account;
}

Endpoint read_endpoint(Section& root, const char* key, Endpoint endpoint) {
  if (auto section = root.section(key)) {
    endpoint.host = section->text("host", endpoint.host);
    endpoint.port = static_cast<std::uint16_t>(section->whole("port", endpoint.port, 0, 65535));
    section->finish();
  }
  return endpoint;
}

Limits read_limits(Section& root) {
  Limits limits;
  auto section = root.section("limits");
  if (!section) return limits;
  const auto duration = [&](const char* key, milliseconds value) {
    return milliseconds(section->whole(key, value.count(), 1, 3'600'000));
  };
  limits.handshake_timeout = duration("handshakeTimeoutMs", limits.handshake_timeout);
  limits.stall_timeout = duration("stallTimeoutMs", limits.stall_timeout);
  limits.drain_timeout = duration("drainTimeoutMs", limits.drain_timeout);
  limits.maximum_hold = duration("maximumHoldMs", limits.maximum_hold);
  limits.maximum_connections = static_cast<std::uint32_t>(
      section->whole("maximumConnections", limits.maximum_connections, 1, 1 << 20));
  limits.maximum_unauthenticated = static_cast<std::uint32_t>(
      section->whole("maximumUnauthenticated", limits.maximum_unauthenticated, 1, 1 << 20));
  section->finish();
  return limits;
}

LedgerConfig read_ledger(Section& root, const Environment& environment) {
  LedgerConfig ledger;
  if (auto section = root.section("ledger")) {
    ledger.store = section->text("store", ledger.store);
    const std::string durability = section->text("durability", "batch");
    if (durability == "sync") {
      ledger.policy.durability = ledger::Durability::sync;
    } else if (durability != "batch") {
      section->refuse("durability", fmt::format("'{}' is not batch or sync; for no ledger at all "
                                                "write store: none",
                                                durability));
    }
    const auto duration = [&](const char* key, milliseconds value) {
      return milliseconds(section->whole(key, value.count(), 1, 10'000));
    };
    // Who says only what may be lost means the other as well.
    const auto promised = duration("atRiskMs", ledger.policy.at_risk);
    ledger.policy.interval =
        duration("batchMs", std::clamp(promised / 2, milliseconds(1), ledger.policy.interval));
    ledger.policy.at_risk =
        duration("atRiskMs", std::max(ledger.policy.at_risk, 2 * ledger.policy.interval));
    if (ledger.policy.at_risk < ledger.policy.interval) {
      section->refuse("atRiskMs", "is less than batchMs, so that every Fulfill would wait");
    }
    section->finish();
  }
  const auto named = environment.find("CONNECTOR_LEDGER");
  const bool from_environment = named != environment.end() && !named->second.empty();
  if (from_environment) ledger.store = named->second;
  if (ledger.store == "none") {
    ledger.policy.durability = ledger::Durability::none;
  } else if (const auto good = ledger::check_store(ledger.store); !good) {
    root.refuse(from_environment ? "CONNECTOR_LEDGER" : "ledger.store", good.error().text());
  }
  return ledger;
}

TracesConfig read_traces(Section& root) {
  TracesConfig traces;
  auto section = root.section("traces");
  if (!section) return traces;
  traces.url = section->text("url");
  const auto usable = net::otlp_request(traces.url);
  if (!usable) {
    section->refuse("url", usable.error().what + "; write it as http://HOST:4318/v1/traces");
  }
  traces.share = section->number("share", traces.share);
  if (traces.share <= 0 || traces.share > 1) {
    section->refuse("share", "is a share of the packets, above 0 and at most 1");
  }
  section->finish();
  return traces;
}

StartRole read_role(const std::string& text, Section& root) {
  if (text == "active") return StartRole::active;
  if (text == "standby") return StartRole::standby;
  root.refuse("role", fmt::format("'{}' is not active or standby", text));
}

void apply_environment(Config& config, Section& root, const Environment& environment) {
  const auto value = [&](const char* name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) return std::nullopt;
    return found->second;
  };
  const auto port = [&](const char* name, std::uint16_t& into) {
    if (const auto text = value(name)) {
      into = static_cast<std::uint16_t>(root.parse_whole(name, *text, 0, 65535));
    }
  };
  port("CONNECTOR_BTP_PORT", config.btp.port);
  port("CONNECTOR_HTTP_PORT", config.http.port);
  if (const auto role = value("CONNECTOR_ROLE")) config.role = read_role(*role, root);
  if (const auto level = value("CONNECTOR_LOG_LEVEL")) config.log_level = *level;
  constexpr std::array<std::string_view, 4> levels{"debug", "info", "warn", "error"};
  if (std::find(levels.begin(), levels.end(), config.log_level) == levels.end()) {
    root.refuse("logLevel",
                fmt::format("'{}' is not debug, info, warn or error", config.log_level));
  }
}

// What no single field can tell.
void check_references(const Config& config, Section& root) {
  std::set<std::string> ids;
  std::set<std::string> tokens;
  for (const AccountConfig& account : config.accounts) {
    if (!ids.insert(account.id).second) {
      root.refuse("accounts", fmt::format("two accounts have the id '{}'", account.id));
    }
    if (!account.token.empty() && !tokens.insert(account.token).second) {
      root.refuse("accounts", fmt::format("'{}' has the token of another account", account.id));
    }
  }
  for (const RouteConfig& route : config.routes) {
    if (!ids.contains(route.account)) {
      root.refuse("routes", fmt::format("'{}' goes to '{}', which is no account", route.prefix,
                                        route.account));
    }
  }
}

Config read_config(Section& root, const Environment& environment) {
  Config config;
  config.address = root.text("address");
  if (!wire::is_valid_address(config.address)) {
    root.refuse("address", fmt::format("'{}' is not an ILP address", config.address));
  }
  config.btp = read_endpoint(root, "btp", config.btp);
  config.http = read_endpoint(root, "http", config.http);
  config.expiry_margin = milliseconds(root.whole("expiryMarginMs", 1000, 0, 60'000));
  config.coalesce = std::chrono::microseconds(root.whole("coalesceUs", 300, 0, 10'000));
  config.role = read_role(root.text("role", "active"), root);
  config.log_level = root.text("logLevel", config.log_level);
  config.test_extra_cpu_percent =
      static_cast<double>(root.whole("testExtraCpuPercent", 0, 0, 1000));
  config.limits = read_limits(root);
  config.ledger = read_ledger(root, environment);
  config.traces = read_traces(root);
  std::map<std::string, Ratio> rates;
  if (auto section = root.section("rates")) {
    for (const std::string& code : section->keys()) rates[code] = section->decimal(code.c_str());
    section->finish();
  }
  for (Section& section : root.list("accounts")) {
    config.accounts.push_back(read_account(section, config, rates, environment));
  }
  for (Section& section : root.list("routes")) {
    const RouteConfig route{section.text("prefix"), section.text("account")};
    if (!wire::is_valid_prefix(route.prefix)) {
      section.refuse("prefix", fmt::format("'{}' is neither an ILP address, without a dot at its "
                                           "end, nor a scheme such as g, nor empty",
                                           route.prefix));
    }
    config.routes.push_back(route);
    section.finish();
  }
  root.finish();
  apply_environment(config, root, environment);
  check_references(config, root);
  return config;
}

}  // namespace

Result<Config> parse_config(const std::string& json, const Environment& environment) {
  return read_json(json, [&](Section& root) { return read_config(root, environment); });
}

Result<Config> load_config(const std::string& file, const Environment& environment) {
  const auto variable = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  const std::string inlined = variable("CONNECTOR_CONFIG_JSON");
  if (file.empty() && !inlined.empty()) return parse_config(inlined, environment);
  const std::string path = file.empty() ? variable("CONNECTOR_CONFIG") : file;
  if (path.empty()) {
    return Error{ErrorKind::usage, "no configuration",
                 "give --config FILE, or set CONNECTOR_CONFIG or CONNECTOR_CONFIG_JSON"};
  }
  const auto content = read_file(path, std::size_t{256} << 20);
  if (!content) return content.error();
  auto config = parse_config(*content, environment);
  if (!config) return Error{config.error().kind, path + ": " + config.error().what, {}};
  return config;
}

}  // namespace slipway::connector
