#include "packet_bench/load/load.hpp"

#include "packet_bench/load/load_thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <future>
#include <latch>
#include <map>
#include <mutex>
#include <sys/resource.h>
#include <thread>
#include <tuple>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds connect_deadline = 10s;
constexpr nanoseconds for_each_connection = 5ms;  // and so much more
constexpr std::size_t least_buffer = 4096;
constexpr nanoseconds head_start = 5ms;  // between "all connected" and the first packet

void keep_least(std::optional<nanoseconds>& least, const std::optional<nanoseconds>& value) {
  if (value) least = std::min(least.value_or(*value), *value);
}

void add_tally(LoadOutcome& outcome, const ThreadTally& tally) {
  outcome.packets.add(tally.packets);
  outcome.warmup_packets.add(tally.warmup_packets);
  outcome.duplicates += tally.duplicates;
  outcome.unexpected += tally.unexpected;
  outcome.disconnects.insert(outcome.disconnects.end(), tally.disconnects.begin(),
                             tally.disconnects.end());
  outcome.latency.add(tally.latency);
  outcome.latency_from_sent.add(tally.latency_from_sent);
  outcome.lateness.add(tally.lateness);
  outcome.first_byte.add(tally.first_byte);
  outcome.connect.add(tally.connect);
  outcome.handshake.add(tally.handshake);
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

// Looks up each name once, however many connections go to it.
class LookUps {
 public:
  explicit LookUps(SharedTls tls) : tls_(std::move(tls)) {}

  Result<SendingPlan::Line> line_to(const Target& target, std::string account, std::string name) {
    const auto key = std::tuple(target.host, target.port, target.tls);
    auto found = known_.find(key);
    if (found == known_.end()) {
      auto address = resolve(target, tls_);
      if (!address) return address.error();
      found = known_.emplace(key, std::move(*address)).first;
    }
    return SendingPlan::Line{target, found->second, std::move(account), std::move(name)};
  }

 private:
  SharedTls tls_;
  std::map<std::tuple<std::string, std::uint16_t, bool>, Address> known_;
};

// Room for the load's connections among the files that a process may have open. Errors: io.
Result<void> make_room(std::size_t connections) {
  constexpr rlim_t others = 64;
  const rlim_t needed = connections + others;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return {};
  limit.rlim_cur = std::min(limit.rlim_max, needed);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return {};
  return Error{ErrorKind::io,
               fmt::format("{} connections need {} open files, and this process may have {}",
                           connections, needed, limit.rlim_max),
               "raise the limit (ulimit -Hn), or give fewer --connections"};
}

// The plan of each thread: its part of the connections and of the packets.
Result<std::vector<SendingPlan>> plans_of_threads(const LoadPlan& plan, const SharedTls& tls) {
  std::vector<SendingPlan> plans(plan.threads);
  for (unsigned i = 0; i < plan.threads; ++i) {
    plans[i] = {.receiver_behaviour = plan.receiver_behaviour,
                .http = plan.http,
                .amount = plan.amount,
                .data_bytes = plan.data_bytes,
                .arrivals = plan.arrivals,
                .rate = plan.rate,
                .seed = plan.seed,
                .first = i,
                .step = plan.threads,
                .expiry = plan.expiry,
                .max_in_flight = plan.max_in_flight / plan.threads,
                .precision = plan.precision,
                .high_priority = plan.high_priority,
                .cpu_affinity = plan.cpu_affinity};
  }
  LookUps look_ups(tls);
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    auto line = look_ups.line_to(plan.targets[i], plan.destination, "to the target");
    if (!line) return line.error();
    // All together take no more than one would, but each has room for a packet.
    std::size_t& buffer = line->address.buffer_bytes;
    buffer = std::max(least_buffer, buffer / plan.targets.size());
    // Where nothing could be read later, stamps would only cost.
    line->address.stamps = !plan.closed_loop() && plan.targets[i].scheme->requests;
    plans[i % plan.threads].senders.push_back(std::move(*line));
  }
  if (plan.receiver) {
    auto line = look_ups.line_to(*plan.receiver, "", "the receiver");
    if (!line) return line.error();
    // It lives on the last thread, the one most likely to have fewer connections.
    plans.back().receivers.push_back(std::move(*line));
  }
  return plans;
}

// The threads of a run: each connects, waits for the common start, and runs.
class LoadThreads {
 public:
  LoadThreads(const LoadPlan& plan, const std::vector<SendingPlan>& plans)
      : plan_(plan),
        series_(plan.threads),
        busy_(plan.threads),
        failures_(plan.threads),
        connected_(plan.threads) {
    for (const SendingPlan& part : plans) {
      members_.push_back(std::make_unique<LoadThread>(plan, part, series_, busy_));
    }
  }

  Result<LoadOutcome> run(const std::function<void(TimePoint)>& on_start,
                          const std::stop_token& stop) {
    std::vector<std::jthread> threads;
    threads.reserve(plan_.threads);
    // After them, so that they do not wait for ever where this is left by an exception.
    std::promise<std::optional<TimePoint>> announced;
    const auto start = announced.get_future().share();
    for (unsigned i = 0; i < plan_.threads; ++i) {
      threads.emplace_back([this, i, start, stop] { work(i, start, stop); });
    }
    connected_.wait();
    const TimePoint first = Clock::now() + head_start;
    const bool all = std::none_of(failures_.begin(), failures_.end(),
                                  [](const auto& failure) { return failure.has_value(); });
    if (all) on_start(first + plan_.warmup);
    announced.set_value(all ? std::optional(first) : std::nullopt);
    {
      const std::jthread teller([this](const std::stop_token& over) { tell_seconds(over); });
      threads.clear();
    }
    for (const auto& failure : failures_) {
      if (failure) return *failure;
    }
    return outcome(first);
  }

 private:
  using Start = std::shared_future<std::optional<TimePoint>>;

  void work(unsigned index, const Start& start, const std::stop_token& stop) {
    try {
      const auto patience = connect_deadline + plan_.targets.size() * for_each_connection;
      const auto connected = members_[index]->connect(Clock::now() + patience, stop);
      if (!connected) failures_[index] = connected.error();
    } catch (const std::exception& error) {
      failures_[index] = Error{ErrorKind::failed, error.what(), {}};
    }
    connected_.count_down();
    try {
      if (!start.get()) return;
      members_[index]->run(*start.get(), stop);
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

  LoadOutcome outcome(TimePoint start) const {
    LoadOutcome result;
    result.window_begin = start + plan_.warmup;
    result.target_gone = true;
    result.slices.resize(LoadPlan::pace_slices);
    TimePoint ended = result.window_begin + plan_.duration;
    for (const auto& member : members_) {
      add_tally(result, member->tally());
      result.reconnects += member->loop().reconnects();
      if (result.first_refusal.empty()) result.first_refusal = member->loop().first_refusal();
      ended = std::min(ended, member->tally().ended);
      if (member->loop().has_receiver()) {
        result.receiver_prepares = member->loop().receiver_prepares();
      }
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
  std::latch connected_;
};

}  // namespace

Result<LoadOutcome> run_load(const LoadPlan& plan, const std::function<void(TimePoint)>& on_start,
                             const std::stop_token& stop) {
  if (auto room = make_room(plan.targets.size()); !room) return room.error();
  const auto tls = tls_of(plan);
  if (!tls) return tls.error();
  const auto plans = plans_of_threads(plan, *tls);
  if (!plans) return plans.error();
  return LoadThreads(plan, *plans).run(on_start, stop);
}

}  // namespace slipway::bench
