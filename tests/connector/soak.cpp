// Ten minutes at 10,000 packets a second: resident memory is flat after the first minute, and no
// descriptor is lost. Every second the connector is asked for its metrics and health, as it is in
// production, and every five seconds a peer comes and goes. Before that, how long a connector takes
// from its start to being ready.
//
//   soak CONNECTOR PACKET_BENCH [--rate 10000] [--minutes 10]
#include "base/command_line.hpp"
#include "connector/btp_peer.hpp"
#include "connector/honest_load.hpp"

#include <algorithm>
#include <future>

#include <fmt/core.h>

namespace slipway::connector::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int exit_failed = 1;

// Flat: what a page of the allocator or of a stack touched late amounts to, and no more. A leak of
// one byte a packet would be 5.4 MB in nine minutes.
constexpr std::uint64_t memory_tolerance = 512 * 1024;
// A request that is being answered while we look.
constexpr std::size_t descriptor_tolerance = 2;

constexpr int starts = 21;
constexpr double start_bound_ms = 100;  // of the median

struct Options {
  std::string connector;
  std::string packet_bench;
  double rate = 10'000;
  int minutes = 10;
};

struct Minute {
  std::uint64_t memory = 0;  // the most of the minute
  std::size_t descriptors = 0;
};

class Soak {
 public:
  explicit Soak(const Options& options) : options_(options) {}

  bool run() {
    time_starts();
    auto paid = std::async(std::launch::async, [&] {
      return run_honest_load(connector_, {.packet_bench = options_.packet_bench,
                                          .sender_token = "token-of-alice",
                                          .receiver_token = "token-of-bob",
                                          .destination = "test.hub.bob",
                                          .rate = options_.rate,
                                          .duration = options_.minutes * 60s});
    });
    const std::vector<Minute> minutes =
        watch([&] { return paid.wait_for(0s) == std::future_status::ready; });
    const HonestResult result = paid.get();
    fmt::print(
        "{} packets sent, {} fulfilled in {:.1f} s: {:.0f}/s ({}), p50 {:.2f} ms, p99 "
        "{:.2f} ms, connector {:.1f} % of a core\n",
        result.sent, result.fulfilled, result.window_s, result.tps, result.outcome, result.p50_ms,
        result.p99_ms, result.connector_cpu_percent);
    expect(result.lossless() && result.sent == result.planned,
           "every packet of the schedule was sent and fulfilled");
    if (minutes.size() < 2) throw std::runtime_error("shorter than two minutes");
    const Minute& first = minutes.front();
    Minute rest;
    for (std::size_t i = 1; i < minutes.size(); ++i) {
      rest.memory = std::max(rest.memory, minutes[i].memory);
      rest.descriptors = std::max(rest.descriptors, minutes[i].descriptors);
    }
    expect(rest.memory <= first.memory + memory_tolerance,
           fmt::format("resident memory: at most {} KiB in the first minute, {} KiB later",
                       first.memory / 1024, rest.memory / 1024));
    expect(rest.descriptors <= first.descriptors + descriptor_tolerance,
           fmt::format("descriptors: at most {} in the first minute, {} later", first.descriptors,
                       rest.descriptors));
    return good_;
  }

 private:
  void expect(bool held, const std::string& what) {
    fmt::print("{} {}\n", held ? "ok  " : "FAIL", what);
    good_ = good_ && held;
  }

  void time_starts() {
    std::vector<double> times;
    for (int i = 0; i < starts; ++i) {
      const auto begun = Clock::now();
      const ConnectorProcess started(options_.connector, config);
      http_get(started.http_port(), "/health/ready");
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
    }
    std::sort(times.begin(), times.end());
    expect(times[starts / 2] < start_bound_ms,
           fmt::format("start to ready: median {:.1f} ms, at most {:.1f} of {} starts",
                       times[starts / 2], times.back(), starts));
    std::fflush(stdout);
  }

  template <typename Done>
  std::vector<Minute> watch(Done done) {
    std::vector<Minute> minutes;
    const auto begun = Clock::now();
    for (int second = 0; !done(); ++second) {
      std::this_thread::sleep_until(begun + second * 1s);
      if (done()) break;
      connector_.metrics();
      http_get(connector_.http_port(), "/health/ready");
      if (second % 5 == 0) BtpPeer(connector_.btp_port(), "token-of-carol");
      const auto minute = static_cast<std::size_t>(second / 60);
      if (minutes.size() <= minute) {
        if (!minutes.empty()) print(minutes.size(), minutes.back());
        minutes.resize(minute + 1);
      }
      Minute& now = minutes[minute];
      now.memory = std::max(now.memory, resident_bytes(connector_.pid()));
      now.descriptors = std::max(now.descriptors, open_descriptors(connector_.pid()));
    }
    if (!minutes.empty()) print(minutes.size(), minutes.back());
    return minutes;
  }

  static void print(std::size_t number, const Minute& minute) {
    fmt::print("minute {:2}: at most {} KiB resident, {} descriptors\n", number,
               minute.memory / 1024, minute.descriptors);
    std::fflush(stdout);
  }

  static constexpr const char* config = R"({"address": "test.hub",
    "btp": {"host": "127.0.0.1", "port": 0}, "http": {"host": "127.0.0.1", "port": 0}, "accounts": [
    {"id": "alice", "asset": {"code": "USD", "scale": 9}, "token": "token-of-alice",
     "maximumInFlight": 262144},
    {"id": "bob", "asset": {"code": "USD", "scale": 9}, "token": "token-of-bob"},
    {"id": "carol", "asset": {"code": "USD", "scale": 9}, "token": "token-of-carol"}]})";

  Options options_;
  ConnectorProcess connector_{options_.connector, config};
  bool good_ = true;
};

int run(int argc, char** argv) {
  Options options;
  CommandLine line("soak", "A long run, and what the connector keeps of it");
  line.add("connector", options.connector).required();
  line.add("packet_bench", options.packet_bench).required();
  line.add("--rate", options.rate, "packets a second").show_default();
  line.add("--minutes", options.minutes, "at least 2").show_default();
  if (const auto status = line.parse(argc, argv)) return *status;
  return Soak(options).run() ? exit_ok : exit_failed;
}

}  // namespace
}  // namespace slipway::connector::test

int main(int argc, char** argv) {
  return slipway::guarded_main("soak", 1,
                               [&] { return slipway::connector::test::run(argc, argv); });
}
