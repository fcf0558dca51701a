// /metrics of a connector that has worked: valid for promtool, and for what promtool lets pass.
#include "base/process.hpp"
#include "connector/btp_peer.hpp"
#include "connector/connector_process.hpp"
#include "connector/packets.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

using namespace slipway;
using namespace slipway::connector::test;

namespace {

std::string exposition() {
  const slipway::test::TemporaryDirectory folder;
  const std::string store = "sqlite:" + (folder.path() / "ledger.db").string();
  ConnectorProcess connector(
      CONNECTOR_EXECUTABLE,
      R"({"ledger": {"store": ")" + store +
          R"("}, "address": "test.hub", "btp": {"host": "127.0.0.1", "port": 0},
      "http": {"host": "127.0.0.1", "port": 0}, "accounts": [
      {"id": "alice", "asset": {"code": "U\"S\\D", "scale": 9}, "token": "a"},
      {"id": "bob", "asset": {"code": "USD", "scale": 9}, "token": "b"}]})");
  BtpPeer alice(connector.btp_port(), "a");
  const auto soon = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  for (std::uint32_t i = 0; i < 5; ++i) {
    alice.send(wire::BtpType::message, i,
               make_prepare({.number = i, .expires_at = soon + std::chrono::seconds(30)}));
    alice.wait([](const wire::BtpFrame&) {});
  }
  return http_get(connector.http_port(), "/metrics");
}

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  std::string value;
};

// name{label="value",...} value, with the three escapes; throws on anything else.
Sample parse_sample(const std::string& line) {
  Sample sample;
  std::size_t at = line.find_first_of("{ ");
  sample.name = line.substr(0, at);
  const auto expect = [&](char c) {
    if (at >= line.size() || line[at++] != c) throw std::runtime_error("not a sample: " + line);
  };
  if (line.at(at) == '{') {
    for (++at; line.at(at) != '}';) {
      const std::size_t equals = line.find('=', at);
      const std::string label = line.substr(at, equals - at);
      at = equals + 1;
      expect('"');
      std::string value;
      for (; line.at(at) != '"'; ++at) {
        if (line[at] == '\\') {
          ++at;
          if (line.at(at) != '\\' && line[at] != '"' && line[at] != 'n') {
            throw std::runtime_error("a wrong escape: " + line);
          }
        }
        value += line[at];
      }
      expect('"');
      if (!sample.labels.emplace(label, value).second) {
        throw std::runtime_error("a label twice: " + line);
      }
      if (line.at(at) == ',') ++at;
    }
    ++at;
  }
  expect(' ');
  sample.value = line.substr(at);
  std::size_t used = 0;
  static_cast<void>(std::stod(sample.value, &used));
  if (used != sample.value.size()) throw std::runtime_error("not a number: " + line);
  return sample;
}

bool belongs(const std::string& name, const std::string& family, const std::string& type) {
  if (type != "histogram") return name == family;
  return name == family + "_bucket" || name == family + "_sum" || name == family + "_count";
}

}  // namespace

TEST_CASE("promtool finds nothing wrong with the metrics", "[metrics]") {
  const slipway::test::TemporaryDirectory directory;
  const std::string file = (directory.path() / "metrics").string();
  std::ofstream(file) << exposition();
  const auto checked = run_command({.argv = {"sh", "-c", "promtool check metrics < " + file}});
  REQUIRE(checked.has_value());
  if (checked->exit_status == 127) {
    WARN("promtool is not installed (package prometheus): not checked");
    return;
  }
  INFO(checked->out << checked->err);
  CHECK(checked->exit_status == 0);
  CHECK(checked->err.empty());
}

TEST_CASE("the metrics keep the rules that promtool does not check", "[metrics]") {
  std::istringstream text(exposition());
  std::string family;
  std::string type;
  std::set<std::string> families;
  std::set<std::string> series;
  std::map<std::string, std::vector<std::pair<double, double>>> buckets;
  std::map<std::string, double> counts;
  for (std::string line; std::getline(text, line);) {
    INFO(line);
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      type.clear();
      CHECK(families.insert(family).second);
      continue;
    }
    if (line.starts_with("# TYPE ")) {
      CHECK(line.substr(7, family.size()) == family);
      type = line.substr(8 + family.size());
      CHECK((type == "counter" || type == "gauge" || type == "histogram"));
      CHECK((type == "counter") == family.ends_with("_total"));
      continue;
    }
    const Sample sample = parse_sample(line);
    CHECK(series.insert(line.substr(0, line.rfind(' '))).second);
    CHECK_FALSE(type.empty());
    CHECK(belongs(sample.name, family, type));
    for (const auto& [label, value] : sample.labels) {
      CHECK_FALSE(value.starts_with("test."));
    }
    const auto account = sample.labels.find("account");
    const std::string key = family + (account == sample.labels.end() ? "" : account->second);
    if (sample.name == family + "_bucket") {
      const std::string bound = sample.labels.at("le");
      buckets[key].emplace_back(bound == "+Inf" ? INFINITY : std::stod(bound),
                                std::stod(sample.value));
    }
    if (sample.name == family + "_count") counts[key] = std::stod(sample.value);
  }
  REQUIRE(counts.size() == 3);  // two accounts, and the ledger's batches
  for (const auto& [key, count] : counts) {
    INFO(key);
    const auto& own = buckets.at(key);
    CHECK(std::isinf(own.back().first));
    CHECK(own.back().second == count);
    CHECK(own.front().first == 0.00005);
    for (std::size_t i = 1; i < own.size(); ++i) {
      CHECK(own[i].first > own[i - 1].first);
      CHECK(own[i].second >= own[i - 1].second);
    }
  }
  for (const char* needed : {"ilp_build_info", "ilp_packets_total", "ilp_packet_duration_seconds",
                             "ilp_packets_in_flight", "ilp_account_balance_units",
                             "ilp_peer_connected", "process_start_time_seconds",
                             "process_resident_memory_bytes", "process_cpu_seconds_total"}) {
    CHECK(families.contains(needed));
  }
  CHECK(series.contains(
      R"(ilp_packets_total{account="alice",direction="in",result="rejected",code="T01"})"));
}
