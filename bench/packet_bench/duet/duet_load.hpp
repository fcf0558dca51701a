#pragma once

#include "base/error.hpp"
#include "net/tls.hpp"
#include "packet_bench/common/clock.hpp"
#include "packet_bench/result/run_result.hpp"
#include "packet_bench/subject/cost_watch.hpp"
#include "packet_bench/target/scheme.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace slipway::bench {

enum Side : std::size_t { base = 0, candidate = 1 };
inline constexpr std::array<const char*, 2> side_names{"base", "candidate"};

// One of two targets that are driven in the same seconds.
struct DuetSide {
  Target sender;
  std::optional<Target> receiver;  // none: somebody there fulfils
  std::string destination;
  CostLook cost = [] { return std::nullopt; };
};

struct DuetPlan {
  std::array<DuetSide, 2> sides;
  unsigned connections = 1;  // to each
  double rate = 10'000;      // packets a second, to each
  std::uint64_t seed = 1;
  std::chrono::nanoseconds warmup = std::chrono::seconds(1);
  std::chrono::nanoseconds slice = std::chrono::milliseconds(500);
  std::size_t data_bytes = 64;
  HttpRequest http;  // for sides that are driven by HTTP
  // Called that often during the load, on the sending thread.
  std::chrono::nanoseconds turn = std::chrono::milliseconds(50);
  std::function<void()> on_turn = [] {};
  net::TlsOptions tls;
  std::vector<int> cpu_affinity;  // of the sending loop; empty: anywhere
  bool high_priority = true;      // see priority.hpp
};

// What one side did within one slice, by the time at which it happened.
struct SideSlice {
  std::uint64_t sent = 0;
  std::uint64_t fulfilled = 0;  // and verified
  std::uint64_t lost = 0;       // rejected, wrong, expired, or not sent for want of room
  std::optional<std::chrono::nanoseconds> cpu;
  std::chrono::nanoseconds wait{0};  // runnable, but not on a processor
  std::uint64_t resident_bytes = 0;
  std::chrono::nanoseconds p50{0};  // from due to fulfilled
  std::chrono::nanoseconds p99{0};
};

struct DuetSlice {
  std::chrono::nanoseconds length{0};
  std::array<SideSlice, 2> sides;
  std::chrono::nanoseconds steal{0};  // summed over the processors
  unsigned processors = 1;
  std::chrono::nanoseconds generator_stall{0};  // packets were due and this program did not run
};

// What became of one side's packets that ended after the warm-up, and how often a connection to it
// was lost.
struct SideTotals {
  PacketCounts packets;
  std::uint64_t disconnects = 0;
  std::string last_disconnect;  // why

  void add(const SideTotals& other);
};

// Drives both targets from one loop: two packets fall due in every 1 / rate seconds, half of that
// apart, one for each side, and which side is first is drawn anew every time. So both meet the same
// machine within the same fraction of a millisecond. After the warm-up each slice is handed to
// `on_slice`, which says whether to go on. A connection over which requests go is opened again when
// it is lost; what was unanswered on it is lost, too. Errors: unreachable (one could not be
// connected to, a BTP connection was lost, or no connection to one came back for three seconds),
// cancelled.
Result<std::array<SideTotals, 2>> drive_duet(const DuetPlan& plan,
                                             const std::function<bool(const DuetSlice&)>& on_slice,
                                             std::stop_token stop);

}  // namespace slipway::bench
