#pragma once

#include "base/error.hpp"
#include "net/tls.hpp"
#include "packet_bench/common/clock.hpp"
#include "packet_bench/common/histogram.hpp"
#include "packet_bench/common/schedule.hpp"
#include "packet_bench/load/sending_loop.hpp"
#include "packet_bench/result/run_result.hpp"
#include "packet_bench/target/target.hpp"

#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::bench {

struct LoadPlan {
  std::vector<Target> targets;  // one for each connection
  HttpRequest http;             // for http targets; its pipelining for ilp+http too
  std::optional<Target> receiver;
  net::TlsOptions tls;  // for targets and the receiver
  ReceiverBehaviour receiver_behaviour = ReceiverBehaviour::fulfill;
  std::string destination;
  std::uint64_t amount = 1;
  std::size_t data_bytes = 64;

  Arrivals arrivals = Arrivals::constant;
  double rate = 10'000;  // infinite: closed_loop()
  std::uint64_t seed = 1;
  std::chrono::nanoseconds warmup{0};
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds expiry = std::chrono::seconds(5);
  std::size_t max_in_flight = std::size_t{1} << 17;
  unsigned threads = 1;
  Precision precision = Precision::normal;
  std::vector<int> cpu_affinity;
  bool high_priority = true;  // see priority.hpp

  // Called about once a second with the last whole second of the window, on a thread of its own.
  std::function<void(const SeriesPoint&)> on_second;

  static constexpr std::size_t pace_slices = 40;
  // Beyond this many packets a second a sending loop has no time to sleep.
  static constexpr double sleepless_rate = 50'000;
  // As many packets as the connections and max_in_flight have room for: each is due when it is
  // sent, so a slow target slows the load down and latency is what it is at that load.
  bool closed_loop() const { return std::isinf(rate); }
  bool never_sleeps() const { return rate / threads > sleepless_rate; }
};

struct LoadOutcome {
  TimePoint window_begin;
  std::chrono::nanoseconds window{0};  // shorter than the plan's duration when interrupted
  bool interrupted = false;
  PacketCounts packets;
  PacketCounts warmup_packets;
  std::uint64_t duplicates = 0;
  std::uint64_t unexpected = 0;
  std::uint64_t reconnects = 0;
  std::vector<std::string> disconnects;
  std::optional<std::uint64_t> receiver_prepares;
  Histogram latency;
  Histogram latency_from_sent;
  Histogram lateness;
  Histogram first_byte;  // of HTTP answers, from the actual send
  Histogram connect;     // of connections, each time anew
  Histogram handshake;   // of those with TLS, after it
  std::chrono::nanoseconds longest_stall{0};
  std::chrono::nanoseconds longest_gap{0};
  std::vector<PaceSlice> slices;  // without steal and target_wait, which the sampler knows
  std::vector<SeriesPoint> series;
  std::string priority;       // what the kernel granted to the sending loops
  std::string first_refusal;  // the first answer that was not as wanted, fit to be shown
  bool target_gone = false;   // no connection was up when the load ended
};

// Drives the load: opens all connections first (an error when one cannot be opened: unreachable,
// or protocol when something else answers there), then sends every packet when it is due, whatever
// the answers do. A lost connection is opened again at once; packets that fall due meanwhile are
// sent late, and given up as `unsent` when they are later than the expiry. `on_start` is called
// once, before the first packet, with the instant at which the measured window begins.
Result<LoadOutcome> run_load(const LoadPlan& plan, const std::function<void(TimePoint)>& on_start,
                             const std::stop_token& stop);

}  // namespace slipway::bench
