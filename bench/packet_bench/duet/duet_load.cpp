#include "packet_bench/duet/duet_load.hpp"

#include "packet_bench/common/histogram.hpp"
#include "packet_bench/load/sending_loop.hpp"
#include "packet_bench/subject/machine.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <unistd.h>

#include <fmt/core.h>

namespace slipway::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds connect_deadline = 10s;
constexpr nanoseconds head_start = 5ms;
constexpr nanoseconds stall_bound = 1ms;  // as in an ordinary run
constexpr nanoseconds longest_drain = 500ms;

// One side's cost, and what became of its packets in this slice.
struct Books {
  CostLook cost;
  SideSlice slice;
  Histogram latency;
  std::optional<ProcessUsage> usage;  // at the slice's begin
};

class DuetLoad final : private PacketSink {
 public:
  using OnSlice = std::function<bool(const DuetSlice&)>;

  DuetLoad(const DuetPlan& plan, const SendingPlan& sending) : plan_(plan), loop_(sending, *this) {
    for (const Side side : {base, candidate}) books_[side].cost = plan.sides[side].cost;
  }

  Result<void> run(const OnSlice& on_slice, const std::stop_token& stop) {
    const auto connected = loop_.connect(Clock::now() + connect_deadline, stop);
    if (!connected) return connected.error();
    play(on_slice, stop);
    // So that no packet is in flight when the connections go.
    const TimePoint until = Clock::now() + longest_drain;
    while (lost_.empty() && loop_.in_flight() > 0 && loop_.now() < until) loop_.rest();
    loop_.end();
    if (!lost_.empty()) return Error{ErrorKind::unreachable, lost_, {}};
    if (stop.stop_requested()) return Error{ErrorKind::cancelled, "interrupted", {}};
    return {};
  }

 private:
  void play(const OnSlice& on_slice, const std::stop_token& stop) {
    const TimePoint start = Clock::now() + head_start;
    loop_.begin(start);
    TimePoint border = start + plan_.warmup;
    TimePoint turn = start + plan_.turn;
    bool warm = false;
    while (lost_.empty() && !stop.stop_requested()) {
      loop_.turn(TimePoint::max());
      const TimePoint now = loop_.now();
      if (now >= turn) {
        plan_.on_turn();
        turn = std::max(turn + plan_.turn, now + plan_.turn / 2);
      }
      if (now < border) continue;
      const DuetSlice slice = cut(now);
      border = std::max(border + plan_.slice, now + plan_.slice / 2);
      if (warm && !on_slice(slice)) return;
      warm = true;
    }
  }

  // Ends the slice and begins the next one.
  DuetSlice cut(TimePoint now) {
    DuetSlice slice;
    const ProcessorTimes machine = processor_times();
    slice.length = now - cut_at_;
    slice.steal = machine.steal - machine_.steal;
    slice.processors = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    slice.generator_stall = std::exchange(stall_, nanoseconds(0));
    machine_ = machine;
    cut_at_ = now;
    for (const Side side : {base, candidate}) slice.sides[side] = cut(books_[side]);
    return slice;
  }

  static SideSlice cut(Books& books) {
    const auto usage = books.cost();
    if (usage && books.usage) {
      books.slice.cpu = usage->cpu - books.usage->cpu;
      books.slice.wait = std::max(nanoseconds(0), usage->wait - books.usage->wait);
      books.slice.resident_bytes = usage->resident_bytes;
    }
    books.usage = usage;
    books.slice.p50 = books.latency.percentile(50);
    books.slice.p99 = books.latency.percentile(99);
    books.latency.clear();
    return std::exchange(books.slice, {});
  }

  void on_sent(const Packet& packet) override { ++books_[packet.channel].slice.sent; }
  void on_unsent(TimePoint, std::size_t channel) override { ++books_[channel].slice.lost; }
  void on_end(const Packet& packet, PacketEnd end, std::string_view, TimePoint now) override {
    Books& books = books_[packet.channel];
    if (end != PacketEnd::fulfilled) {
      ++books.slice.lost;
      return;
    }
    ++books.slice.fulfilled;
    books.latency.record(now - packet.due);
  }
  void on_stall(nanoseconds stall, TimePoint) override {
    if (stall >= stall_bound) stall_ += stall;
  }
  void on_down(std::size_t channel, const std::string& why) override {
    if (lost_.empty()) {
      lost_ = fmt::format("the connection to the {} was lost: {}", side_names[channel], why);
    }
  }

  const DuetPlan& plan_;
  SendingLoop loop_;
  std::array<Books, 2> books_;
  TimePoint cut_at_;
  ProcessorTimes machine_;
  nanoseconds stall_{0};
  std::string lost_;
};

// Both sides at twice the rate of one: two packets fall due in every 1 / rate seconds.
Result<SendingPlan> sending_plan(const DuetPlan& plan) {
  const auto tls = net::TlsContext::make(plan.tls);
  if (!tls) return tls.error();
  SendingPlan sending{.http = plan.http,
                      .data_bytes = plan.data_bytes,
                      .rate = 2 * plan.rate,
                      .seed = plan.seed,
                      .spread = Spread::pairs,
                      .watches_quick_targets = false,
                      .high_priority = plan.high_priority,
                      .before_real_time = true,
                      .cpu_affinity = plan.cpu_affinity};
  for (const Side side : {base, candidate}) {
    const DuetSide& played = plan.sides[side];
    const std::string name = fmt::format("to the {}", side_names[side]);
    auto sender = resolve(played.sender, *tls);
    if (!sender) return sender.error();
    sending.senders.push_back({played.sender, *sender, played.destination, name});
    if (!played.receiver) continue;
    auto receiver = resolve(*played.receiver, *tls);
    if (!receiver) return receiver.error();
    sending.receivers.push_back({*played.receiver, *receiver, "", name});
  }
  return sending;
}

}  // namespace

Result<void> drive_duet(const DuetPlan& plan, const std::function<bool(const DuetSlice&)>& on_slice,
                        std::stop_token stop) {
  const auto sending = sending_plan(plan);
  if (!sending) return sending.error();
  // On a thread of its own, since its priority is not the caller's.
  Result<void> result;
  std::jthread([&] {
    try {
      result = DuetLoad(plan, *sending).run(on_slice, stop);
    } catch (const std::exception& error) {
      result = Error{ErrorKind::failed, error.what(), {}};
    }
  }).join();
  return result;
}

}  // namespace slipway::bench
