// Hostile clients harm nobody else. While packet_bench pays 10,000 packets a second through one
// pair of accounts, others send a byte a second, never read, open 10,000 connections, send frames
// of 1 GiB, guess tokens. Every packet of the honest pair must come back over the sockets it began
// with, memory and descriptors must stay within bounds, and each attack must be logged once, with
// its reason. Undisturbed and disturbed runs alternate, so that they meet the same machine.
//
//   hostile CONNECTOR PACKET_BENCH               the short form: each attack once
//   hostile CONNECTOR PACKET_BENCH --compare 10  ten rounds, and p99 is compared as well
#include "base/command_line.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "connector/attacks.hpp"
#include "connector/honest_load.hpp"

#include <algorithm>
#include <map>

#include <fmt/core.h>

namespace slipway::connector::test {
namespace {

using namespace std::chrono_literals;

constexpr int exit_failed = 1;
constexpr int exit_skipped = 77;

// What the connector may take for its peers' misbehaviour, over what it had before: 256 strangers
// with a header of 8 KiB and their sockets' state, six accounts with at most 1 MiB of packets that
// they do not read and 128 KiB of a frame that is not complete, and what malloc does not give back.
constexpr std::uint64_t memory_bound = std::uint64_t{32} << 20;
// Strangers waiting, those on their way out, and the accounts.
constexpr std::size_t descriptor_bound = 700;
// An event of one cause is written once in ten seconds.
constexpr double log_interval_s = 10;

// p99 under attack may be longer by this: what one more connection's work adds on one core.
constexpr double p99_tolerance_ms = 0.5;
constexpr double p99_tolerance_factor = 1.5;

struct Options {
  std::string connector;
  std::string packet_bench;
  double rate = 10'000;
  int seconds = 2;
  int rounds = 1;
  std::string only;
  bool memory_unbounded = false;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Trial {
 public:
  explicit Trial(const Options& options) : options_(options) {}

  bool run() {
    // Everything has been used once before memory is looked at.
    pay("warm-up");
    const std::uint64_t memory_before = resident_bytes(connector_.pid());
    const std::size_t descriptors_before = open_descriptors(connector_.pid());
    for (int round = 0; round < options_.rounds; ++round) {
      for (const Attack& attack : attacks()) {
        if (!attack.name.starts_with(options_.only)) continue;
        undisturbed_[attack.name].push_back(pay("undisturbed").p99_ms);
        under_attack(attack);
      }
    }
    const std::uint64_t grown = peak_resident_bytes(connector_.pid()) - memory_before;
    expect(options_.memory_unbounded || grown <= memory_bound,
           fmt::format("memory grew by {:.1f} MiB at most, {} are allowed",
                       static_cast<double>(grown) / (1 << 20), memory_bound >> 20));
    wait_until("the connections to be closed",
               [&] { return open_descriptors(connector_.pid()) <= descriptors_before; });
    expect(connector_.output().find(wrong_token) == std::string::npos, "no token is in the log");
    if (options_.rounds > 1) compare();
    expect(connector_.terminate() == 0, "the connector ends with 0");
    return good_;
  }

 private:
  void expect(bool held, const std::string& what) {
    fmt::print("{} {}\n", held ? "ok  " : "FAIL", what);
    std::fflush(stdout);
    good_ = good_ && held;
  }

  HonestResult pay(const std::string& during) {
    const HonestResult result =
        run_honest_load(connector_, {.packet_bench = options_.packet_bench,
                                     .sender_token = "token-of-alice",
                                     .receiver_token = "token-of-bob",
                                     .destination = "test.hub.bob",
                                     .rate = options_.rate,
                                     .duration = std::chrono::seconds(options_.seconds)});
    expect(result.lossless(),
           fmt::format("{}: {} of {} fulfilled, {:.0f}/s ({}), p50 {:.2f} ms, p99 {:.2f} ms "
                       "(generator late by {:.2f}), connector {:.0f} % of a core",
                       during, result.fulfilled, result.sent, result.tps, result.outcome,
                       result.p50_ms, result.p99_ms, result.lateness_p99_ms,
                       result.connector_cpu_percent));
    // `invalid`: packet_bench says that the machine, not the connector, was too slow.
    if (result.outcome != "invalid") ++judged_;
    if (result.outcome == "failed" || result.outcome == "broken") ++too_slow_;
    return result;
  }

  void under_attack(const Attack& attack) {
    const std::size_t log_begin = connector_.output().size();
    const auto begun = std::chrono::steady_clock::now();
    std::jthread attacker(
        [&](const std::stop_token& stop) { attack.run(connector_.btp_port(), stop); });
    disturbed_[attack.name].push_back(pay(attack.name).p99_ms);
    const std::size_t descriptors = open_descriptors(connector_.pid());
    for (const Attack::Logged& logged : attack.logged) {
      const auto count = [&] { return count_logged(log_begin, logged); };
      // Within ten seconds of the same attack in the round before it is not written again.
      if (first_round(attack)) {
        wait_until(logged.reason, [&] { return count() >= logged.clients; });
      }
      const double lasted =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
      const int most = logged.clients * (1 + static_cast<int>(lasted / log_interval_s));
      expect(count() <= most, fmt::format("  logged {} times in {:.0f} s: {}, {}", count(), lasted,
                                          logged.event, logged.reason));
    }
    attacker.request_stop();
    attacker.join();
    expect(descriptors <= descriptor_bound,
           fmt::format("  {} descriptors, {} are allowed", descriptors, descriptor_bound));
  }

  bool first_round(const Attack& attack) const { return disturbed_.at(attack.name).size() == 1; }

  int count_logged(std::size_t begin, const Attack::Logged& logged) const {
    const std::string log = connector_.output().substr(begin);
    int found = 0;
    for (std::size_t at = 0; at < log.size();) {
      const std::size_t end = std::min(log.find('\n', at), log.size());
      const auto line = parse_json(log.substr(at, end - at));
      at = end + 1;
      if (line.is_object() && line.value("event", "") == logged.event &&
          line.value("reason", "").starts_with(logged.reason)) {
        ++found;
      }
    }
    return found;
  }

  // Medians over the rounds: what one run on a noisy machine says of p99 is nothing.
  void compare() {
    for (const Attack& attack : attacks()) {
      if (undisturbed_[attack.name].empty()) continue;
      const double alone = median(undisturbed_[attack.name]);
      const double attacked = median(disturbed_[attack.name]);
      expect(attacked <= p99_tolerance_factor * alone + p99_tolerance_ms,
             fmt::format("{}: median p99 {:.3f} ms, undisturbed in the same rounds {:.3f} ms",
                         attack.name, attacked, alone));
    }
    expect(judged_ > 0 && too_slow_ * 10 <= judged_,
           fmt::format("{:.0f}/s held in {} of the {} runs that packet_bench could judge",
                       options_.rate, judged_ - too_slow_, judged_));
  }

  static std::string config() {
    return R"({"address": "test.hub", "btp": {"host": "127.0.0.1", "port": 0},
      "http": {"host": "127.0.0.1", "port": 0},
      "limits": {"handshakeTimeoutMs": 1500, "stallTimeoutMs": 1500}, "accounts": [
      {"id": "alice", "asset": {"code": "USD", "scale": 9}, "token": "token-of-alice",
       "maximumInFlight": 262144},
      {"id": "bob", "asset": {"code": "USD", "scale": 9}, "token": "token-of-bob"})" +
           hostile_accounts() + "]}";
  }

  Options options_;
  ConnectorProcess connector_{options_.connector, config()};
  std::map<std::string, std::vector<double>> undisturbed_;
  std::map<std::string, std::vector<double>> disturbed_;
  int judged_ = 0;
  int too_slow_ = 0;
  bool good_ = true;
};

int run(int argc, char** argv) {
  Options options;
  CommandLine line("hostile", "Attacks a connector while an honest account uses it");
  line.add("connector", options.connector).required();
  line.add("packet_bench", options.packet_bench).required();
  line.add("--rate", options.rate, "packets a second of the honest account").show_default();
  line.add("--seconds", options.seconds, "of each run").show_default();
  line.add("--compare", options.rounds, "rounds; with more than one p99 is compared")
      .show_default();
  line.add("--only", options.only, "the attacks whose name begins so");
  line.add("--memory-unbounded", options.memory_unbounded, "for sanitizers, which need it");
  if (const auto status = line.parse(argc, argv)) return *status;
  if (raise_descriptor_limit() < attack_descriptors) {
    fmt::print("skipped: 10,000 connections need a higher limit of descriptors (ulimit -n)\n");
    return exit_skipped;
  }
  return Trial(options).run() ? exit_ok : exit_failed;
}

}  // namespace
}  // namespace slipway::connector::test

int main(int argc, char** argv) {
  return slipway::guarded_main("hostile", 1,
                               [&] { return slipway::connector::test::run(argc, argv); });
}
