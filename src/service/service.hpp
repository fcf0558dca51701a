#pragma once

// What is shipped, as slipway.yml describes it: a value that deploy, the gate, the rehearsal and
// the workflows take. What belongs to one host (addresses, published ports, secrets) is not in it.

#include "net/prometheus_text.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace slipway::service {

// When a new version counts as healthy.
struct HealthRules {
  std::chrono::nanoseconds interval = std::chrono::milliseconds(250);
  std::chrono::nanoseconds timeout = std::chrono::seconds(2);  // of one question, in total
  int healthy_in_a_row = 3;
  std::chrono::nanoseconds minimum_healthy = std::chrono::seconds(1);
  std::chrono::nanoseconds deadline = std::chrono::seconds(60);
};

using net::MetricSelector;

// The new version under load, compared with what the old one did before the flip.
struct BakeRules {
  std::chrono::nanoseconds window = std::chrono::nanoseconds::zero();  // zero: no bake
  std::chrono::nanoseconds longest = std::chrono::minutes(2);          // for an inconclusive one
  std::uint64_t minimum_requests = 200;
  double worse_errors = 0.01;  // a share of bad answers higher than the baseline's by this
  double worse_latency = 3.0;  // a mean latency this many times the baseline's, and above it by
  // this much: a busy neighbour triples a fraction of a millisecond, and no user sees that.
  std::chrono::nanoseconds latency_allowance = std::chrono::milliseconds(5);
  // The service's own counters of good and bad answers and its histogram of seconds. Without them
  // the proxy's counters judge: responses of class 5xx and its times.
  std::string metrics = "/metrics";
  std::optional<MetricSelector> good;
  std::optional<MetricSelector> bad;
  std::optional<MetricSelector> seconds;
};

// The answer that counts as served. All that is written must hold; nothing written: any 2xx.
struct ServedRule {
  std::vector<int> statuses;                                  // one of these
  std::optional<std::pair<std::string, std::string>> header;  // name: exact value
  std::optional<std::pair<std::string, std::string>> json;    // pointer (RFC 6901): JSON value
  std::string body;                                           // ECMAScript regular expression
};

// What the gate drives and what it tolerates.
struct GateRules {
  std::string start = "container";  // or "embedded": packet_bench starts the target itself
  std::string method = "GET";
  std::string path;  // with the query; empty: no request is written, and `start` knows its own
  std::map<std::string, std::string> headers;
  std::string body;
  ServedRule served;
  // Of other protocols than HTTP: what packet_bench drives, through a host's proxy. {host} is its
  // address, ${NAME} a secret. With them no `request`.
  std::string target;
  std::string receiver;     // where packet_bench itself receives what it sends; may be empty
  std::string destination;  // the account that is paid; may be empty
  double rate = 0;          // requests/s; zero: there is no gate
  int connections = 4;
  double worse_cpu = 0.015;  // as shares
  double worse_rate = 0.01;
};

// How what a service may write to is mounted: its user is the image's choice, so anybody may.
inline constexpr std::string_view writable_options = "size=64m,mode=1777";
inline constexpr std::string_view temporary_options = "size=16m,mode=1777";

struct Limits {
  std::string memory = "512m";  // as Docker has it
  double processors = 2;
  int processes = 256;
};

// What only a cluster asks.
struct Cluster {
  int replicas = 1;
  // A command in the image that takes a role, active or drained, as its last word and tells it to
  // the service; empty: the signal is sent by the image's own shell.
  std::vector<std::string> signal;
};

struct Service {
  std::string name;   // slipway.yml's `service`, or the repository's name
  std::string image;  // repository, or repository@sha256:... of one that cannot be changed
  std::uint16_t port = 8080;
  std::vector<std::uint16_t> tcp;  // further ports, of which HAProxy passes on the bytes
  std::string health = "/health";
  std::string ready = "/health";  // as `health` where nothing is written
  // SIGUSR2: active, SIGUSR1: drained. Never sent unless the service has them.
  bool has_roles = false;
  // The image cannot say its commit: the engine's image digest is the proof.
  bool version_is_digest = false;
  std::map<std::string, std::string> environment;
  std::vector<std::string> secrets;            // variables that the host's envFile must have
  std::map<std::string, std::string> config;   // folder in the host's configDir -> absolute path
  std::map<std::string, std::string> volumes;  // name -> absolute path
  std::vector<std::string> probe;         // run beside the candidate; a real request; may be empty
  std::vector<std::string> capabilities;  // kept, of those that are dropped otherwise
  std::vector<std::string> writable;      // folders in memory
  Limits limits;
  std::chrono::nanoseconds drain = std::chrono::seconds(30);
  HealthRules proof;
  BakeRules bake;
  GateRules gate;
  std::string platform = "docker";  // or "kubernetes": what runs it, unless a host says otherwise
  Cluster kubernetes;
};

}  // namespace slipway::service
