// The connector as a process and its ledger: what it says while it cannot be kept, what is there
// after a restart, and what `connector ledger` tells of it.
#include "base/json.hpp"
#include "connector/btp_peer.hpp"
#include "connector/connector_process.hpp"
#include "connector/packets.hpp"
#include "support/catch.hpp"

#include <csignal>
#include <fstream>

#include <fmt/core.h>

using namespace slipway;
using namespace slipway::connector::test;
using namespace std::chrono_literals;

namespace {

struct Ledger {
  slipway::test::TemporaryDirectory folder;
  std::filesystem::path file = folder.path() / "state" / "ledger.db";
  std::string config(const std::string& durability = "batch", const std::string& role = "active",
                     const std::string& minimum = "-1000") const {
    return fmt::format(
        R"({{"address": "test.hub", "btp": {{"host": "127.0.0.1", "port": 0}}, "role": "{}",
        "http": {{"host": "127.0.0.1", "port": 0}}, "ledger": {{"store": "{}", "durability": "{}"}},
        "accounts": [
        {{"id": "alice", "asset": {{"code": "USD", "scale": 9}}, "token": "a", "minimumBalance": "{}"}},
        {{"id": "bob", "asset": {{"code": "USD", "scale": 9}}, "token": "b"}}]}})",
        role, store(), durability, minimum);
  }
  std::string store() const { return "sqlite:" + file.string(); }
  void make_folder() const { std::filesystem::create_directories(file.parent_path()); }
  CommandOutput command(std::vector<std::string> arguments) const {
    std::vector<std::string> argv{CONNECTOR_EXECUTABLE, "ledger"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--store", store()});
    return run_command({.argv = argv}).value();
  }
};

// The code of the answer to one packet of 100 from alice to bob, or "fulfilled".
std::string pay(BtpPeer& alice, BtpPeer& bob, std::uint32_t number) {
  const auto soon = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  alice.send(wire::BtpType::message, number,
             make_prepare({.number = number, .amount = 100, .expires_at = soon + 30s}));
  alice.flush();
  std::optional<std::string> outcome;
  while (!outcome) {
    bob.receive([&](const wire::BtpFrame& frame) {
      bob.send(wire::BtpType::response, frame.request_id, make_fulfill(preimage_of(number)));
    });
    bob.flush();
    alice.receive([&](const wire::BtpFrame& frame) {
      const auto packet = wire::decode_packet(frame.find("ilp")->data);
      const auto* reject = std::get_if<wire::Reject>(&*packet);
      outcome = reject == nullptr ? "fulfilled" : std::string(reject->code);
    });
    std::this_thread::sleep_for(200us);
  }
  return *outcome;
}

std::string pay(const ConnectorProcess& connector, std::uint32_t number) {
  BtpPeer alice(connector.btp_port(), "a");
  BtpPeer bob(connector.btp_port(), "b");
  return pay(alice, bob, number);
}

std::int64_t balance(const ConnectorProcess& connector, const std::string& account) {
  return connector.metric("ilp_account_balance_units{account=\"" + account +
                          "\",asset=\"USD\",scale=\"9\"}");
}

}  // namespace

TEST_CASE("balances and limits outlast the process, by SIGTERM or by SIGKILL", "[ledger]") {
  for (const std::string durability : {"batch", "sync"}) {
    Ledger ledger;
    ledger.make_folder();
    {
      ConnectorProcess first(CONNECTOR_EXECUTABLE, ledger.config(durability));
      CHECK(pay(first, 1) == "fulfilled");
      CHECK(first.terminate() == 0);
    }
    {
      ConnectorProcess second(CONNECTOR_EXECUTABLE, ledger.config(durability));
      CHECK(balance(second, "alice") == -100);
      CHECK(pay(second, 2) == "fulfilled");
      wait_until("the batch to be durable",
                 [&] { return second.metrics().at("ilp_ledger_lag_seconds") == "0.000000"; });
      second.send_signal(SIGKILL);
      wait_until("the kill", [&] { return second.exit_status().has_value(); });
    }
    ConnectorProcess third(CONNECTOR_EXECUTABLE, ledger.config(durability));
    CHECK(balance(third, "bob") == 200);
    BtpPeer alice(third.btp_port(), "a");
    BtpPeer bob(third.btp_port(), "b");
    for (std::uint32_t i = 3; i <= 10; ++i) CHECK(pay(alice, bob, i) == "fulfilled");
    CHECK(pay(alice, bob, 11) == "T04");
  }
}

TEST_CASE("a ledger that cannot be opened: not ready, T00, said why, and tried again", "[ledger]") {
  Ledger ledger;
  ConnectorProcess connector(CONNECTOR_EXECUTABLE, ledger.config());
  CHECK_FALSE(is_ready(connector));
  const auto health = parse_json(http_get(connector.http_port(), "/health"));
  const auto& check = health["checks"]["ledger:writable"][0];
  CHECK(check["status"] == "fail");
  CHECK_THAT(check["output"].get<std::string>(), ContainsSubstring("its folder must exist"));
  CHECK(connector.metric("ilp_ledger_writable") == 0);
  CHECK(pay(connector, 1) == "T00");
  CHECK_THAT(connector.output(), ContainsSubstring("\"event\":\"ledger_failed\""));
  ledger.make_folder();
  wait_until("the ledger to be opened", [&] { return is_ready(connector); });
  CHECK(connector.metric("ilp_ledger_writable") == 1);
  CHECK(pay(connector, 2) == "fulfilled");
  CHECK(connector.terminate() == 0);
}

TEST_CASE("two at once share an account's limits, and the sum is the balance", "[ledger]") {
  Ledger ledger;
  ledger.make_folder();
  ConnectorProcess blue(CONNECTOR_EXECUTABLE, ledger.config());
  ConnectorProcess green(CONNECTOR_EXECUTABLE, ledger.config("batch", "standby"));
  BtpPeer blue_alice(blue.btp_port(), "a");
  BtpPeer blue_bob(blue.btp_port(), "b");
  BtpPeer green_alice(green.btp_port(), "a");
  BtpPeer green_bob(green.btp_port(), "b");
  int fulfilled = 0;
  std::uint32_t number = 0;
  // Each in turn until both are refused for good: not one more than the limit allows, and no room
  // is left with one that the other needs.
  for (int refused = 0; refused < 20;) {
    const bool by_blue = ++number % 2 == 0;
    const std::string outcome =
        by_blue ? pay(blue_alice, blue_bob, number) : pay(green_alice, green_bob, number);
    if (outcome == "fulfilled") {
      ++fulfilled;
      refused = 0;
    } else {
      CHECK(outcome == "T04");
      ++refused;
      std::this_thread::sleep_for(30ms);
    }
  }
  CHECK(fulfilled >= 9);
  CHECK(fulfilled <= 10);
  CHECK(green.terminate() == 0);
  CHECK(blue.terminate() == 0);
  const auto shown = parse_json(ledger.command({"show", "--json"}).out);
  CHECK(shown["accounts"][0]["balance"] == std::to_string(-100 * fulfilled));
}

TEST_CASE("a drained connector leaves the limits to the one that serves", "[ledger]") {
  Ledger ledger;
  ledger.make_folder();
  ConnectorProcess blue(CONNECTOR_EXECUTABLE, ledger.config());
  ConnectorProcess green(CONNECTOR_EXECUTABLE, ledger.config("batch", "standby"));
  green.send_signal(SIGUSR2);
  wait_until("green to serve", [&] { return green.metric("ilp_role{role=\"active\"}") == 1; });
  blue.send_signal(SIGUSR1);
  wait_until("blue to be drained", [&] { return blue.metric("ilp_role{role=\"drained\"}") == 1; });
  BtpPeer alice(green.btp_port(), "a");
  BtpPeer bob(green.btp_port(), "b");
  std::uint32_t number = 0;
  wait_until("green to have all of the room", [&] {
    const auto books = parse_json(ledger.command({"show", "--json"}).out);
    for (const auto& part : books["accounts"][0]["parts"]) {
      if (part["floor"] == "-1000") return true;
    }
    return false;
  });
  for (int i = 0; i < 10; ++i) CHECK(pay(alice, bob, ++number) == "fulfilled");
  CHECK(pay(alice, bob, ++number) == "T04");
}

TEST_CASE("connector ledger shows, verifies and exports, by text and JSON", "[ledger]") {
  Ledger ledger;
  CHECK(ledger.command({"show"}).exit_status == 1);
  CHECK_THAT(ledger.command({"show"}).err, ContainsSubstring("there is no ledger"));
  ledger.make_folder();
  ConnectorProcess connector(CONNECTOR_EXECUTABLE, ledger.config("sync"));
  CHECK(pay(connector, 1) == "fulfilled");
  // While it runs, too.
  CHECK_THAT(ledger.command({"show"}).out,
             ContainsSubstring("alice                      -100  USD/9"));
  CHECK_THAT(ledger.command({"show"}).out, ContainsSubstring(": runs"));
  CHECK(ledger.command({"verify"}).exit_status == 0);
  CHECK(parse_json(ledger.command({"verify", "--json"}).out)["ok"] == true);
  CHECK(ledger.command({"export"}).out ==
        "account\tasset\tscale\tbalance\nalice\tUSD\t9\t-100\nbob\tUSD\t9\t100\n");
  const auto all = parse_json(ledger.command({"export", "--json"}).out);
  CHECK(all["schema"] == 1);
  CHECK(all["instances"][0]["state"] == "runs");
  CHECK(connector.terminate() == 0);
  CHECK(ledger.command({}).exit_status == 2);
  CHECK(ledger.command({"shred"}).exit_status == 2);
}

TEST_CASE("verify finds a ledger that somebody has changed", "[ledger]") {
  Ledger ledger;
  ledger.make_folder();
  {
    ConnectorProcess connector(CONNECTOR_EXECUTABLE, ledger.config());
    CHECK(pay(connector, 1) == "fulfilled");
    CHECK(connector.terminate() == 0);
  }
  const std::string intact = read_file(ledger.file).value();
  // -100 is the byte 9c in SQLite's records, three times in a settled row; 100 is 64.
  std::string changed = intact;
  const std::size_t at = changed.rfind("aliceUSD\x09\x9c\x9c\x9c");
  REQUIRE(at != std::string::npos);
  for (std::size_t i = 0; i < 3; ++i) changed[at + 9 + i] = static_cast<char>(0x9b);
  std::ofstream(ledger.file, std::ios::binary) << changed;
  const auto verified = ledger.command({"verify"});
  CHECK(verified.exit_status == 1);
  CHECK_THAT(verified.out, ContainsSubstring("sum up to -1, not 0"));
  std::ofstream(ledger.file, std::ios::binary) << "no database";
  CHECK(ledger.command({"verify"}).exit_status == 1);
}
