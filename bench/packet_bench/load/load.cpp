#include "packet_bench/load/load.hpp"

#include "packet_bench/load/load_thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds connect_deadline = 10s;
constexpr std::size_t least_buffer = 4096;
constexpr nanoseconds head_start = 5ms;  // between "all connected" and the first packet

void add_counts(PacketCounts& sum, const PacketCounts& part) {
  sum.planned += part.planned;
  sum.sent += part.sent;
  sum.unsent += part.unsent;
  sum.fulfilled += part.fulfilled;
  sum.wrong += part.wrong;
  sum.late += part.late;
  sum.unanswered += part.unanswered;
  sum.failed += part.failed;
  for (const auto& [code, count] : part.rejected) sum.rejected[code] += count;
}

void keep_least(std::optional<nanoseconds>& least, const std::optional<nanoseconds>& value) {
  if (value) least = std::min(least.value_or(*value), *value);
}

void add_tally(LoadOutcome& outcome, const ThreadTally& tally) {
  add_counts(outcome.packets, tally.packets);
  add_counts(outcome.warmup_packets, tally.warmup_packets);
  outcome.duplicates += tally.duplicates;
  outcome.unexpected += tally.unexpected;
  outcome.disconnects.insert(outcome.disconnects.end(), tally.disconnects.begin(),
                             tally.disconnects.end());
  outcome.latency.add(tally.latency);
  outcome.latency_from_sent.add(tally.latency_from_sent);
  outcome.lateness.add(tally.lateness);
  outcome.longest_stall = std::max(outcome.longest_stall, tally.longest_stall);
  outcome.longest_gap = std::max(outcome.longest_gap, tally.longest_gap);
  outcome.priority = tally.priority;
  outcome.target_gone = outcome.target_gone && !tally.up_at_end;
  for (std::size_t i = 0; i < outcome.slices.size(); ++i) {
    PaceSlice& slice = outcome.slices[i];
    slice.generator_stall = std::max(slice.generator_stall, tally.stall[i]);
    keep_least(slice.least_lag, tally.least_lag[i]);
    keep_least(slice.least_lateness, tally.least_lateness[i]);
  }
}

using SharedTls = std::shared_ptr<const net::TlsContext>;

// Nothing when no target wants it.
Result<SharedTls> tls_of(const LoadPlan& plan) {
  const bool wanted = (plan.receiver && plan.receiver->tls) ||
                      std::any_of(plan.targets.begin(), plan.targets.end(),
                                  [](const Target& target) { return target.tls; });
  if (!wanted) return SharedTls();
  return net::TlsContext::make(plan.tls);
}

Result<std::vector<std::vector<Endpoint>>> endpoints_per_thread(const LoadPlan& plan,
                                                                const SharedTls& tls) {
  std::vector<std::vector<Endpoint>> all(plan.threads);
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    auto address = resolve(plan.targets[i], tls);
    if (!address) return address.error();
    // All together take no more than one would, but each has room for a packet.
    address->buffer_bytes = std::max(least_buffer, address->buffer_bytes / plan.targets.size());
    all[i % plan.threads].push_back({plan.targets[i], *address});
  }
  return all;
}

// One thread's part: connects, reports, waits for the common start, runs.
class Crew {
 public:
  Crew(const LoadPlan& plan, const std::vector<std::vector<Endpoint>>& endpoints,
       const std::optional<Endpoint>& receiver)
      : plan_(plan), series_(plan.threads), busy_(plan.threads) {
    for (unsigned i = 0; i < plan.threads; ++i) {
      // The receiver lives on the last thread, the one most likely to have fewer connections.
      members_.push_back(std::make_unique<LoadThread>(
          plan, i, endpoints[i], i + 1 == plan.threads ? receiver : std::nullopt, series_, busy_));
    }
    failures_.resize(plan.threads);
  }

  Result<LoadOutcome> run(const std::function<void(TimePoint)>& on_start,
                          const std::stop_token& stop) {
    std::vector<std::jthread> threads;
    threads.reserve(plan_.threads);
    for (unsigned i = 0; i < plan_.threads; ++i) {
      threads.emplace_back([this, i, stop] { work(i, stop); });
    }
    connected_.wait_for(plan_.threads);
    bool all = true;
    for (const auto& failure : failures_) all = all && !failure;
    const TimePoint start = Clock::now() + head_start;
    if (all) on_start(start + plan_.warmup);
    start_.set(all ? start : TimePoint::max());
    {
      const std::jthread teller([this](const std::stop_token& over) { tell_seconds(over); });
      threads.clear();
    }
    for (const auto& failure : failures_) {
      if (failure) return *failure;
    }
    return outcome(start, stop);
  }

 private:
  // Waits without spinning for a count, and for a value that one thread sets.
  class Counter {
   public:
    void add() {
      ++count_;
      count_.notify_all();
    }
    void wait_for(unsigned wanted) {
      for (unsigned seen = count_; seen != wanted; seen = count_) count_.wait(seen);
    }

   private:
    std::atomic<unsigned> count_{0};
  };
  class Start {
   public:
    void set(TimePoint when) {
      when_ = when.time_since_epoch().count();
      when_.notify_all();
    }
    TimePoint get() {
      when_.wait(0);
      return TimePoint(nanoseconds(when_.load()));
    }

   private:
    std::atomic<std::int64_t> when_{0};
  };

  void work(unsigned index, const std::stop_token& stop) {
    try {
      const auto connected = members_[index]->connect(Clock::now() + connect_deadline, stop);
      if (!connected) failures_[index] = connected.error();
    } catch (const std::exception& error) {
      failures_[index] = Error{ErrorKind::failed, error.what(), {}};
    }
    connected_.add();
    const TimePoint start = start_.get();
    if (start == TimePoint::max()) return;
    try {
      members_[index]->run(start, stop);
    } catch (const std::exception& error) {
      failures_[index] = Error{ErrorKind::failed, error.what(), {}};
      --busy_;
    }
  }

  void tell_seconds(const std::stop_token& over) const {
    if (!plan_.on_second) return;
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    double told_until = -1;
    while (!over.stop_requested()) {
      changed.wait_for(lock, over, 200ms, [] { return false; });
      const auto last = series_.last();
      if (!last || last->begin_s <= told_until) continue;
      told_until = last->begin_s;
      plan_.on_second(*last);
    }
  }

  LoadOutcome outcome(TimePoint start, const std::stop_token&) const {
    LoadOutcome result;
    result.window_begin = start + plan_.warmup;
    result.target_gone = true;
    result.slices.resize(LoadPlan::pace_slices);
    TimePoint ended = result.window_begin + plan_.duration;
    for (const auto& member : members_) {
      add_tally(result, member->tally());
      result.reconnects += member->reconnects();
      ended = std::min(ended, member->tally().ended);
      if (member->receiver() != nullptr) result.receiver_prepares = member->receiver()->prepares();
    }
    result.interrupted = ended < result.window_begin + plan_.duration;
    result.window = std::max(nanoseconds(0), nanoseconds(ended - result.window_begin));
    if (result.interrupted) {
      const auto length = plan_.duration / static_cast<std::int64_t>(LoadPlan::pace_slices);
      result.slices.resize(static_cast<std::size_t>(result.window / std::max(length, 1ns)));
    }
    result.series = series_.points();
    return result;
  }

  const LoadPlan& plan_;
  SeriesRecorder series_;
  std::atomic<unsigned> busy_;
  std::vector<std::unique_ptr<LoadThread>> members_;
  std::vector<std::optional<Error>> failures_;
  Counter connected_;
  Start start_;
};

}  // namespace

Result<LoadOutcome> run_load(const LoadPlan& plan, const std::function<void(TimePoint)>& on_start,
                             const std::stop_token& stop) {
  const auto tls = tls_of(plan);
  if (!tls) return tls.error();
  const auto endpoints = endpoints_per_thread(plan, *tls);
  if (!endpoints) return endpoints.error();
  std::optional<Endpoint> receiver;
  if (plan.receiver) {
    auto address = resolve(*plan.receiver, *tls);
    if (!address) return address.error();
    receiver = Endpoint{*plan.receiver, *address};
  }
  return Crew(plan, *endpoints, receiver).run(on_start, stop);
}

}  // namespace slipway::bench
