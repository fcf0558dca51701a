#pragma once

#include "base/error.hpp"
#include "base/process.hpp"
#include "connector/peer_url.hpp"
#include "connector/ratio.hpp"
#include "ledger/progress.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

// What an operator says about a connector: one JSON document, a few environment variables over it.
namespace slipway::connector {

enum class Relation { child, peer, parent };
enum class StartRole { active, standby };

struct Endpoint {
  std::string host = "0.0.0.0";
  std::uint16_t port = 0;  // 0: any free port
};

struct RateLimit {
  double packets_per_second;
  double burst;  // packets
};

struct AccountConfig {
  std::string id;
  Relation relation = Relation::child;
  std::string address;  // what IL-DCP tells it; by default the connector's own and its id
  std::string asset_code;
  std::uint8_t asset_scale = 0;
  std::optional<Ratio> price;  // of a whole unit in the common unit; nothing: no rate is configured
  std::string token;           // what the peer shows us; empty: it cannot come in
  // The balance is what we owe the account, in its own units: negative when it owes us.
  std::int64_t minimum_balance = std::numeric_limits<std::int64_t>::min();
  std::int64_t maximum_balance = std::numeric_limits<std::int64_t>::max();
  std::uint64_t maximum_packet_amount = std::numeric_limits<std::uint64_t>::max();
  std::uint32_t maximum_in_flight = 16'384;
  std::optional<RateLimit> rate_limit;
  std::optional<PeerUrl> btp;   // we dial it
  std::optional<PeerUrl> http;  // we POST to it
};

struct RouteConfig {
  std::string prefix;  // whole segments; empty: everything
  std::string account;
};

struct Limits {
  std::chrono::milliseconds handshake_timeout{5000};  // connected to authenticated
  std::chrono::milliseconds stall_timeout{10'000};    // no progress on a frame, or in writing
  std::chrono::milliseconds drain_timeout{10'000};
  std::chrono::milliseconds maximum_hold{30'000};  // of a packet, whatever its expiry says
  std::uint32_t maximum_connections = 4096;
  std::uint32_t maximum_unauthenticated = 256;
};

struct LedgerConfig {
  std::string store = "sqlite:/var/lib/connector/ledger.db";  // ledger::check_store
  ledger::Policy policy;                                      // durability none: `store` is none
};

struct TracesConfig {
  std::string url;  // of a collector (net::otlp_request); empty: none
  double share = 0.001;
};

struct Config {
  std::string address;
  Endpoint btp{.port = 4000};
  Endpoint http{.port = 8080};
  std::chrono::milliseconds expiry_margin{1000};
  std::chrono::microseconds coalesce{300};  // see RoundPacer; 0: never rest
  StartRole role = StartRole::active;
  std::string log_level = "info";
  double test_extra_cpu_percent = 0;  // see TestBurn; never in production
  Limits limits;
  LedgerConfig ledger;
  TracesConfig traces;
  std::vector<AccountConfig> accounts;
  std::vector<RouteConfig> routes;
};

// Reads and checks a configuration. `environment` supplies the tokens that `tokenEnv` names and the
// overrides CONNECTOR_BTP_PORT, CONNECTOR_HTTP_PORT, CONNECTOR_ROLE, CONNECTOR_LOG_LEVEL and
// CONNECTOR_LEDGER (the store). An error (`usage`) names the field; an unknown field is one.
Result<Config> parse_config(const std::string& json, const Environment& environment);

// The configuration from `file`, or when that is empty from CONNECTOR_CONFIG_JSON (the document
// itself) or CONNECTOR_CONFIG (a file).
Result<Config> load_config(const std::string& file, const Environment& environment);

}  // namespace slipway::connector
