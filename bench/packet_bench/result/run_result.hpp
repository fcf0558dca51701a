#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace slipway::bench {

// What became of the packets that were due in the measured window (or in the warm-up). Each is
// counted once: planned = sent + unsent, and
// sent = fulfilled + wrong + rejected + failed + late + unanswered.
struct PacketCounts {
  std::uint64_t planned = 0;
  std::uint64_t sent = 0;
  std::uint64_t unsent = 0;      // no connection, or no room in flight, for longer than the bound
  std::uint64_t fulfilled = 0;   // in time, and the preimage is the condition's
  std::uint64_t wrong = 0;       // fulfilled with a preimage that is not the condition's
  std::uint64_t late = 0;        // answered after the packet had expired
  std::uint64_t unanswered = 0;  // no answer by the end, or the connection was lost first
  std::uint64_t failed = 0;      // answered by something that is neither Fulfill nor Reject
  std::map<std::string, std::uint64_t> rejected;  // by ILP code, or HTTP status

  std::uint64_t rejected_total() const;
  void add(const PacketCounts& other);
};

// Nothing is NaN: a percentile of fewer answers than it takes to have one beyond it (p99: 100).
struct LatencySummary {
  std::uint64_t count = 0;
  double mean_ms = 0;
  double p50_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
  double p999_ms = 0;
  double max_ms = 0;
};

// One point of the time series; it covers `seconds` from `begin_s` on, by the time of the event.
struct SeriesPoint {
  double begin_s = 0;
  double seconds = 1;
  std::uint64_t sent = 0;
  std::uint64_t fulfilled = 0;
  std::uint64_t not_fulfilled = 0;
  double p50_ms = 0;  // NaN where so few were fulfilled that there is none, as the others
  double p99_ms = 0;
  double max_ms = 0;
  double lateness_max_ms = 0;
  // How many were fulfilled within each bound and not within the next lower one; ten bounds a
  // decade.
  std::map<double, std::uint64_t> latency_up_to_ms;
  std::map<std::string, std::uint64_t> lost;  // the not fulfilled by kind: see losses_by_kind
};

// One of the equal slices of the measured window that the pace analysis looks at.
struct PaceSlice {
  // The least time to fulfilled of the packets due in it, from the send, or from the due time where
  // the target held the send back: what the queue before the target cost at its shortest. Nothing
  // when none was fulfilled.
  std::optional<std::chrono::nanoseconds> least_lag;
  // The least time from due to sent, without those: how far the generator itself was behind.
  std::optional<std::chrono::nanoseconds> least_lateness;
  // Time in it that others took, by their own account and not by its effect.
  std::chrono::nanoseconds generator_stall{0};  // packets were due and this program did not run
  std::chrono::nanoseconds steal{0};            // /proc/stat, summed over the processors
  std::chrono::nanoseconds target_wait{0};      // runnable but not running (/proc/PID/schedstat)
};

// What the target spent in the measured window; nothing where it could not be seen.
struct TargetCost {
  std::optional<double> cpu_percent;  // of one processor
  std::optional<double> cpu_us_per_packet;
  std::optional<double> memory_mb;  // largest resident set that was seen
  std::string source;               // "/proc/1234", "http://...", "none"
};

// What the target itself counted from before the load to after it, if it says so.
struct TargetCounters {
  std::string source;  // URL
  std::uint64_t fulfilled = 0;
  std::uint64_t rejected = 0;
};

// How far the generator itself can be trusted.
struct Audit {
  LatencySummary lateness;  // from due to sent, without packets that were held back by the target
  std::vector<std::pair<double, std::uint64_t>> lateness_buckets;  // up to ms, packets
  double late_share = 0;        // of packets sent more than 1 ms after they were due
  double longest_stall_ms = 0;  // of the sending loop
  double generator_cpu_percent = 0;
  double generator_memory_mb = 0;
  double steal_percent = 0;     // of all processors, over the measured window
  std::uint64_t throttled = 0;  // how often this program's control group had used up its quota
  double target_wait_percent = 0;
  std::string clock;
  std::string priority;  // of the sending loops
};

struct Context {
  std::string host;
  std::string kernel;
  std::string cpu_model;
  unsigned cpus = 0;
  std::string governor;
  std::string clock_source;
  std::vector<double> load_average;
  std::string build_type;
  std::string version;
  std::string revision;
};

// One run as a plain value: all that the gate, a comparison or a report needs.
struct RunResult {
  std::chrono::system_clock::time_point begun_at;
  std::string commit_sha;
  std::string branch;
  std::string target;  // without the token
  std::string arrivals;
  std::uint64_t seed = 0;
  double rate = 0;           // planned packets a second; 0 in a closed loop
  bool closed_loop = false;  // as many packets as there was room for, not by a schedule
  double window_s = 0;       // measured; shorter than planned when the run was interrupted
  double planned_s = 0;
  double warmup_s = 0;
  unsigned connections = 0;
  unsigned threads = 0;
  bool interrupted = false;
  std::string target_lost;  // why the target was gone at the end; empty: it was there
  unsigned attempt = 1;     // of 1 + retries

  PacketCounts packets;          // due in the window
  PacketCounts warmup_packets;   // due before it
  std::uint64_t duplicates = 0;  // second answers to a packet that was answered
  std::uint64_t unexpected = 0;  // answers to packets that were never sent
  std::uint64_t reconnects = 0;
  double longest_gap_ms = 0;  // without any fulfilled answer while packets were due
  std::optional<std::uint64_t> receiver_prepares;  // what our own receiver was handed, warm-up too
  std::vector<std::string> disconnects;            // why connections were lost, the first few
  std::string first_refusal;  // the first answer that was not as wanted, fit to be shown

  LatencySummary latency;                                   // from due to fulfilled
  LatencySummary latency_from_sent;                         // from the actual send
  LatencySummary first_byte;                                // likewise; of HTTP answers
  LatencySummary connect;                                   // of connections, each time anew
  LatencySummary handshake;                                 // of those with TLS, after it
  std::vector<std::pair<double, double>> percentile_curve;  // percent, ms from due
  std::string hdr_log;                                      // the same histograms, for --hdr-log
  std::vector<SeriesPoint> series;
  std::vector<PaceSlice> slices;
  TargetCost cost;
  std::optional<TargetCounters> counters;
  std::vector<std::string> notes;  // what could not be measured, and why
  Audit audit;
  Context context;
};

// Packets a second as people write them: "10000", "9990.4", "2.2", "0.05".
std::string rate_text(double rate);

// "p50 0.6 ms, p90 ..., max ..." with three decimals, without those of which there are none.
std::string latency_text(const LatencySummary& latency);

// "unanswered": 2, "rejected with T01": 3: the packets that were not fulfilled.
std::map<std::string, std::uint64_t> losses_by_kind(const PacketCounts& packets);

// "3 rejected with T01, 2 unanswered": the packets that were not fulfilled; empty when all were.
std::string losses_text(const PacketCounts& packets);

}  // namespace slipway::bench
